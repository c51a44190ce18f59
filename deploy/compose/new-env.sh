#!/bin/sh
# Makes the file that docker-compose.yml takes its secrets from:
#   sh deploy/compose/new-env.sh .env                    for Meta: put META_APP_SECRET in before the first start
#   sh deploy/compose/new-env.sh .env.sandbox sandbox    for a rehearsal with the sandbox instead of Meta
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:-sandbox}" != sandbox ]; then
    echo "usage: $0 FILE [sandbox]" >&2
    exit 64
fi
if [ -e "$1" ]; then
    echo "$1 exists; what was sealed with its secrets could not be opened with new ones, so it stays as it is" >&2
    exit 73
fi

random_bytes() { head -c "$1" /dev/urandom; }
# Hexadecimal, since some of them stand inside URLs.
secret() { random_bytes 32 | od -An -v -tx1 | tr -d ' \n'; }

umask 077
{
    echo "ADMIN_JWT_SECRET=$(secret)"
    echo "MASTER_KEYS=k1:$(random_bytes 32 | base64)"
    echo "API_KEY_PEPPER=$(secret)"
    echo "META_VERIFY_TOKEN=$(secret)"
    echo "MONGODB_ROOT_PASSWORD=$(secret)"
    echo "MONGODB_PASSWORD=$(secret)"
    echo "RABBITMQ_PASSWORD=$(secret)"
    if [ "${2:-}" = sandbox ]; then
        echo "META_APP_SECRET=$(secret)"
        echo "COMPOSE_PROFILES=sandbox"
        echo "# Containers and data of its own, beside those of a real installation."
        echo "COMPOSE_PROJECT_NAME=waapi-sandbox"
        echo "ENVIRONMENT=local"
        echo "META_GRAPH_URL=http://sandbox:4010"
        echo "INSTAGRAM_GRAPH_URL=http://sandbox:4010"
        echo "# The sandbox's webhook receiver is a neighbour in this network, where no vendor's receiver may be otherwise."
        echo "WEBHOOK_ALLOW_CIDRS=172.30.64.0/24"
    else
        echo "# From Meta's app dashboard: Settings, Basic, App secret"
        echo "META_APP_SECRET="
    fi
} >"$1"
