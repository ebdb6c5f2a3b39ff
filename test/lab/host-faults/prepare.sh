#!/bin/bash
# Prepares a machine: echo on TCP 8001 and 8002, UDP 9000 into /run/received, VRRP into /run/vrrp, and a unit that nothing
# restarts. A network namespace on a bridge simulates a container: its echo is published as port 8080, and its VRRP goes into
# /run/inner-vrrp.
set -euo pipefail
until systemctl is-system-running | grep -Eq 'running|degraded'; do sleep 0.2; done
ip netns add inner
ip link add br-inner type bridge
ip address add 198.18.66.1/24 dev br-inner
ip link add veth-inner type veth peer name eth0 netns inner
ip link set veth-inner master br-inner up
ip link set br-inner up
ip -n inner link set lo up
ip -n inner address add 198.18.66.2/24 dev eth0
ip -n inner link set eth0 up
ip -n inner route add default via 198.18.66.1
echo 1 >/proc/sys/net/ipv4/ip_forward
iptables -w -t nat -A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to-destination 198.18.66.2:80
iptables -w -t nat -A POSTROUTING -s 198.18.66.0/24 ! -o br-inner -j MASQUERADE

systemd-run -q --unit=echo-8001 socat TCP-LISTEN:8001,fork,reuseaddr EXEC:cat
systemd-run -q --unit=echo-8002 socat TCP-LISTEN:8002,fork,reuseaddr EXEC:cat
systemd-run -q --unit=udp socat -u UDP-RECV:9000 OPEN:/run/received,creat,append
systemd-run -q --unit=vrrp socat -u IP4-RECV:112,ip-add-membership=224.0.0.18:br-inner OPEN:/run/vrrp,creat,append
systemd-run -q --unit=inner-vrrp ip netns exec inner \
  socat -u IP4-RECV:112,ip-add-membership=224.0.0.18:eth0 OPEN:/run/inner-vrrp,creat,append
systemd-run -q --unit=inner-echo ip netns exec inner socat TCP-LISTEN:80,fork,reuseaddr EXEC:cat
for port in 8001 8002; do until nc -z 127.0.0.1 "$port"; do sleep 0.1; done; done
until ip netns exec inner nc -z 127.0.0.1 80; do sleep 0.1; done
for file in received vrrp inner-vrrp; do until [ -e /run/$file ]; do sleep 0.1; done; done

# A process name that nothing else uses.
cp /usr/bin/sleep /run/drowse
printf '[Service]\nExecStart=/run/drowse infinity\n' >/run/systemd/system/drowse.service
systemctl daemon-reload
systemctl start drowse.service
