#!/bin/bash
# One Ceph with an S3 gateway on loopback, in the chroot that tests/stores/s3/server.py makes.
# It runs until its standard input ends. Arguments: state folder, monitor port, http port,
# https port, GiB of memory for objects. Says "ready" when the gateway answers and its two users exist.
set -euo pipefail
D=$1 MON=$2 HTTP=$3 HTTPS=$4 GIB=$5
export CEPH_CONF=$D/ceph.conf PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p "$D"/{mon,osd,rgw,run,log}
cat > "$CEPH_CONF" <<C
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$MON/0
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = $D/run
admin socket = $D/run/\$name.asok
pid file = $D/run/\$type.pid
log file = $D/log/\$name.log
keyring = $D/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd max object name len = 256
osd max object namespace len = 64
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 2
mon max pg per osd = 1000
mon osd min down reporters = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[mon.a]
host = localhost
mon data = $D/mon
[osd.0]
osd data = $D/osd
osd objectstore = memstore
memstore device bytes = $((GIB << 30))
[client.rgw]
rgw data = $D/rgw
rgw frontends = beast endpoint=127.0.0.1:$HTTP ssl_endpoint=127.0.0.1:$HTTPS ssl_certificate=$D/cert.pem ssl_private_key=$D/key.pem
rgw enable usage log = false
rgw lc debug interval = -1
rgw override bucket index max shards = 1
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = office-key=$(head -c 32 /dev/urandom | base64)
C
ceph-authtool --create-keyring "$D/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
key() { ceph-authtool "$D/keyring" --gen-key -n "$@" >/dev/null; }
key client.admin --cap mon 'allow *' --cap osd 'allow *'
key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
key client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
monmaptool --create --fsid "$(sed -n 's/^fsid = //p' "$CEPH_CONF")" --addv a "[v2:127.0.0.1:$MON]" "$D/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$D/monmap" --keyring "$D/keyring"
ceph-mon -i a
ID=$(cat /proc/sys/kernel/random/uuid)
timeout 30 ceph osd new "$ID" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$ID" --no-mon-config >"$D/log/mkfs" 2>&1
ceph-osd -i 0
radosgw -n client.rgw
for one in dock other; do
  radosgw-admin -n client.rgw user create --uid=$one --display-name=$one --access-key=test$one \
    --secret-key=secret$one >/dev/null 2>"$D/log/user.$one"
done
until (exec 3<>/dev/tcp/127.0.0.1/$HTTPS) 2>/dev/null; do sleep 0.1; done
echo ready
cat >/dev/null
