#!/bin/sh
# Prepares a bare machine: the Python environment, and what the words after it ask for: "servers" is what RabbitMQ and
# MongoDB need from the system, "nginx" is nginx, "chromium" is Chromium, "npm" is Node with the npm packages of the
# tests. Done again it is instant. Speaks on standard error only, so that `make admin-token` prints a token and
# nothing else.
set -eu
cd "$(dirname "$0")/../.."

ENVIRONMENT=.venv
LOCK=requirements.lock
STAMP=$ENVIRONMENT/installed.sha256
LOG=.local/log/bootstrap.log
RABBITMQ=/usr/lib/rabbitmq/bin/rabbitmq-server
NGINX=/usr/sbin/nginx
CHROMIUM=/usr/bin/chromium
NODE_LOCK=tests/compat/nodejs.lock
NODE_IS_RECENT='const [major, minor] = process.versions.node.split("."); process.exit(+(major * 100 + +minor < 2019))'
NPM_FOLDER=tests/compat
NPM_STAMP=$NPM_FOLDER/node_modules/installed.sha256
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK="# written by WAAPI's bootstrap.sh while it installs a package; may be removed"

wanted=" $* "

say() { printf '%s\n' "$*" >&2; }

# Runs one step: says what it does and how long it took, keeps its output for the case that it fails.
step() {
    title=$1 started=$(date +%s)
    shift
    printf '  %-44s ' "$title" >&2
    if "$@" >"$LOG" 2>&1; then
        say "$(($(date +%s) - started)) s"
    else
        say "failed:"
        tail -n 25 "$LOG" >&2
        exit 1
    fi
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed and was not found; name it with PYTHON=/path/to/python3"
    exit 1
}

environment_is_current() {
    [ -f "$STAMP" ] && sha256sum --check --status "$STAMP" && "$ENVIRONMENT/bin/python" -c '' 2>/dev/null
}

create_environment() {
    rm -rf "$ENVIRONMENT"
    "$python" -m venv "$ENVIRONMENT"
}

install_packages() {
    "$ENVIRONMENT/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes --requirement "$1"
}

wants() { case $wanted in *" $1 "*) true ;; *) false ;; esac }

# The folder of a Node that is new enough, with its npm: the machine's, or the one from PyPI in our environment.
node_folder() {
    for folder in "$(dirname "$(command -v node || echo nowhere/node)")" "$PWD/$ENVIRONMENT/bin"; do
        if [ -x "$folder/npm" ] && "$folder/node" -e "$NODE_IS_RECENT" 2>/dev/null; then
            echo "$folder"
            return
        fi
    done
    false
}

# Packages run no code of theirs while they are installed.
install_npm_packages() {
    PATH=$(node_folder):$PATH npm ci --prefix "$NPM_FOLDER" --ignore-scripts --no-audit --no-fund
}

npm_packages_are_current() { [ -f "$NPM_STAMP" ] && sha256sum --check --status "$NPM_STAMP" && node_folder >/dev/null; }

# Whether a server is ours to run: no address for it is set, neither in the environment nor in .env.
is_ours() { eval "[ -z \"\${$1:-}\" ]" && ! grep -qs "^$1=." .env; }

missing_system_packages() {
    if wants servers && is_ours AMQP_URL && [ ! -x "$RABBITMQ" ]; then
        echo rabbitmq-server
    fi
    # The one library that mongod needs and a bare Debian does not have.
    if wants servers && is_ours MONGODB_URL && ! "$python" -c 'import ctypes; ctypes.CDLL("libcurl.so.4")' 2>/dev/null; then
        echo libcurl4
    fi
    if wants nginx && [ ! -x "$NGINX" ]; then
        echo nginx
    fi
    if wants chromium && [ ! -x "$CHROMIUM" ]; then
        echo chromium
    fi
    if ! environment_is_current && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo python3-venv
    fi
}

# Debian starts a service as soon as it is installed, unless this file forbids it. Ours runs only as our own process.
forbid_service_start() {
    if [ ! -e "$POLICY" ]; then
        trap 'rm -f "$POLICY"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
        chmod 755 "$POLICY"
    fi
}

allow_service_start() {
    if grep -qsF "$POLICY_MARK" "$POLICY"; then
        rm -f "$POLICY"
    fi
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"; }

# A list that cannot be refreshed is no reason to stop: the package may be known already.
update_package_lists() { apt update || true; }

install_system_packages() {
    command="apt-get install --no-install-recommends $*"
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "Missing on this machine: $*. Install it once with: sudo $command"
        exit 1
    fi
    allow_service_start # what an earlier, killed run may have left
    forbid_service_start
    step "reading Debian's package lists" update_package_lists
    step "installing $*" apt install --no-install-recommends "$@"
    allow_service_start
}

mkdir -p .local/log
exec 9>.local/bootstrap.lock
flock 9 # two makes at once: the second waits, and finds everything done

python=$(find_python)
missing=$(missing_system_packages)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # several packages are several words
    install_system_packages $missing
fi
if ! environment_is_current; then
    "$ENVIRONMENT/bin/python" -m pip --version >/dev/null 2>&1 || step "creating the Python environment $ENVIRONMENT" create_environment
    step "installing $(grep -c '^[a-z]' "$LOCK") Python packages" install_packages "$LOCK"
    sha256sum "$LOCK" >"$STAMP"
fi
if wants npm && ! npm_packages_are_current; then
    node_folder >/dev/null || step "installing Node from PyPI" install_packages "$NODE_LOCK"
    step "installing the npm packages of the tests" install_npm_packages
    sha256sum "$NPM_FOLDER/package-lock.json" >"$NPM_STAMP"
fi
