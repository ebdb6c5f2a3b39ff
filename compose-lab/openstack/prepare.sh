#!/bin/bash
# Part of the image's build: the databases with their schemas, and Keystone's admin. All passwords here are public: the services
# listen only on the loopback of a container.
set -euo pipefail

# The package's own file would select KVM.
rm -f /etc/nova/nova-compute.conf

install -d -o mysql -g mysql /run/mysqld
mariadbd-safe --skip-syslog >/dev/null 2>&1 &
for _ in $(seq 120); do mariadb-admin --silent ping >/dev/null 2>&1 && break; sleep 0.5; done
for name in keystone placement nova nova_api nova_cell0; do
  mariadb -e "CREATE DATABASE $name; GRANT ALL ON $name.* TO openstack@'127.0.0.1' IDENTIFIED BY 'openstack'; \
    GRANT ALL ON $name.* TO openstack@localhost IDENTIFIED BY 'openstack'"
done

keystone-manage db_sync
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage credential_setup --keystone-user keystone --keystone-group keystone
keystone-manage bootstrap --bootstrap-password admin --bootstrap-region-id RegionOne \
  --bootstrap-admin-url http://127.0.0.1:15000/v3/ --bootstrap-internal-url http://127.0.0.1:15000/v3/ \
  --bootstrap-public-url http://127.0.0.1:15000/v3/
placement-manage db sync
nova-manage api_db sync
nova-manage cell_v2 map_cell0 --database_connection mysql+pymysql://openstack:openstack@127.0.0.1/nova_cell0
nova-manage cell_v2 create_cell --name cell1
nova-manage db sync

mariadb-admin shutdown
wait
