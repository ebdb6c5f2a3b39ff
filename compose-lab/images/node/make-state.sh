#!/bin/bash
# Creates the keys and certificates of a lab. `firedrill lab up` runs it in a container of this image, so that every machine
# uses the same openssl and ssh-keygen.
#
# usage: firedrill-make-state UID:GID <SPEC     the state folder is the current directory
# SPEC, one per line, created in this order; existing files are replaced:
#   ca                            ca.key, ca.pem
#   cert NAME CN SAN[,SAN...]     vm/tls/NAME.key, vm/tls/NAME.crt; a SAN is DNS:… or IP:…
#   ssh                           ssh/id_ed25519, and vm/ssh/authorized_keys from it
#   hostkey NAME                  vm/ssh/host/NAME/ssh_host_ed25519_key
set -euo pipefail
owner=$1
umask 077
mkdir -p ssh vm/tls vm/ssh/host

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
sshkey() {
  rm -f "$1" "$1.pub"
  ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1"
}

while read -r what name cn san; do
  case $what in
    ca)
      key ca.key
      openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj '/CN=firedrill lab CA' -out ca.pem \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
      ;;
    cert)
      key "vm/tls/$name.key"
      openssl req -new -key "vm/tls/$name.key" -subj "/CN=$cn" -addext "subjectAltName=$san" \
        -addext 'extendedKeyUsage=serverAuth,clientAuth' -out request.pem
      openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 825 \
        -copy_extensions copy -out "vm/tls/$name.crt" 2>/dev/null
      rm -f request.pem ca.srl
      ;;
    ssh)
      sshkey ssh/id_ed25519 firedrill-lab
      cp ssh/id_ed25519.pub vm/ssh/authorized_keys
      ;;
    hostkey)
      mkdir -p "vm/ssh/host/$name"
      sshkey "vm/ssh/host/$name/ssh_host_ed25519_key" "$name"
      ;;
    *)
      echo "firedrill-make-state: unknown item: $what" >&2
      exit 2
      ;;
  esac
done

[ ! -f ca.pem ] || cp ca.pem vm/ca.pem
chmod 0644 ca.pem vm/ca.pem
chown -R "$owner" .
