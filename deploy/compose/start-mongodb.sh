#!/bin/bash
# Starts the container's mongod as a replica set of one node that asks everybody for a password.
set -eu

# A replica set with passwords wants a key that its members show each other. This one has a single member, so the key
# need not outlive the process.
key=/tmp/replica-set.key
rm -f "$key"
(umask 277 && head -c 96 /dev/urandom | base64 -w 0 >"$key")

# --noscripting: no query of ours runs JavaScript in the server, so nobody's may.
# --quiet: no line for every connection, of which a health check opens one every few seconds.
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all --noscripting --quiet --wiredTigerCacheSizeGB 0.5 \
  --setParameter transactionLifetimeLimitSeconds=10  # what a killed process had begun holds its documents for so long
