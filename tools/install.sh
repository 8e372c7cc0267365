#!/bin/sh
# Installs recorder-sync as a service of this computer, or removes it: `make install`,
# `make uninstall`. `make small-ffprobe` gives it an ffprobe of its own.
#
#   DESTDIR   files are put below it for a package; nothing is started, no user is made
#   PREFIX    where the program goes, /opt/recorder-sync
#   PYTHON    the Python that it runs with, 3.11 or later
#   SMALL_FFPROBE   FFmpeg's source, as `apt-get source ffmpeg` made it, of which a small ffprobe is
#             built, in some minutes, and used from then on; a pattern may name the folder. Without
#             it the distribution's source is fetched: by `small-ffprobe`, and by `install` if none
#             is there yet, which goes on without one where that fails. `none`: `install` builds none
#
# It may be run again at any time: that is the upgrade. The program is built beside the old
# one, which goes on working until the new one is whole.
set -eu

DESTDIR=${DESTDIR-}
PREFIX=${PREFIX:-/opt/recorder-sync}
PYTHON=${PYTHON:-python3}
SMALL_FFPROBE=${SMALL_FFPROBE-}
source=$(cd "$(dirname "$0")/.." && pwd)
user=recorder-sync

units=$DESTDIR/usr/local/lib/systemd/system
rules=$DESTDIR/usr/local/lib/udev/rules.d
sysusers=$DESTDIR/usr/local/lib/sysusers.d
tmpfiles=$DESTDIR/usr/local/lib/tmpfiles.d
command=$DESTDIR/usr/local/bin/recorder-sync
configuration=$DESTDIR/etc/recorder-sync
small=$DESTDIR/usr/local/lib/recorder-sync/ffprobe
state=$DESTDIR/var/lib/recorder-sync
evidence=$DESTDIR/srv/evidence

system_runs() {
    [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]
}

refuse_private_python() { # the service cannot look into anybody's home
    home=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    case $home/ in
        /root/* | /home/*)
            echo "The service cannot use the Python in $home: make install PYTHON=/usr/bin/python3" >&2
            exit 2
            ;;
    esac
}

build_program() { # FOLDER, where it does not stay
    rm -rf "$1"
    "$PYTHON" -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --requirement "$source/requirements/runtime.lock"
    "$1/bin/pip" install --quiet --disable-pip-version-check \
        --no-build-isolation --no-deps --no-cache-dir "$source"
    find "$1/bin" -maxdepth 1 -type f -exec sed -i "1s|^#!$1/|#!$PREFIX/|" {} +
    mkdir "$1/libexec"
    install -m 0755 "$source/systemd/recorder-sync-volume" \
        "$source/udev-rules/recorder-sync-foreign" "$1/libexec"
}

put_program() {
    program=$DESTDIR$PREFIX
    mkdir -p "$(dirname "$program")"
    build_program "$program.new"
    rm -rf "$program.old"
    [ ! -e "$program" ] || mv "$program" "$program.old"
    mv "$program.new" "$program"
    rm -rf "$program.old"
    mkdir -p "${command%/*}"
    ln -sfn "$PREFIX/bin/recorder-sync" "$command"
}

build_small() { # FOLDER, where it does not stay: the source's code runs as nobody, never as root
    IFS= # a folder's name may have spaces
    # shellcheck disable=SC2086 # the shell leaves a pattern behind `=` as it is
    set -- "$1" $SMALL_FFPROBE
    unset IFS
    [ $# -eq 2 ] && [ -x "$2/configure" ] || {
        echo "SMALL_FFPROBE=$SMALL_FFPROBE is not one folder that apt-get source ffmpeg made" >&2
        exit 2
    }
    echo "Building a small ffprobe of $2: this takes some minutes" >&2
    if [ "$(id -u)" -eq 0 ]; then
        cp -R "$2" "$1/source" # nobody may not look into root's folders
        cp "$source/tools/small_ffprobe.sh" "$1/small_ffprobe.sh"
        mkdir "$1/built"
        chown -R nobody: "$1"
        TMPDIR=$1 HOME=$1 setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups \
            --no-new-privs --inh-caps=-all \
            sh "$1/small_ffprobe.sh" "$1/source" "$1/built/ffprobe" >&2
    else
        sh "$source/tools/small_ffprobe.sh" "$2" "$1/built/ffprobe" >&2
    fi
}

fetch_source() { # FOLDER, where it does not stay
    mkdir "$1/fetched"
    [ "$(id -u)" -ne 0 ] || chown _apt: "$1/fetched" 2> /dev/null || : # apt-get downloads as _apt
    echo "Fetching the source of FFmpeg" >&2
    sh "$source/tools/ffmpeg_source.sh" "$1/fetched"
    SMALL_FFPROBE=$1/fetched/ffmpeg-*/
}

put_small() { # FILE
    mkdir -p "${small%/*}"
    install -m 0755 "$1" "$small.new"
    mv "$small.new" "$small"
}

wants_small() { # no package: it is built where it is used
    [ -z "$DESTDIR$SMALL_FFPROBE" ] && [ ! -e "$small" ]
}

small_ffprobe() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 0755 "$work"
    [ -n "$SMALL_FFPROBE" ] || fetch_source "$work"
    build_small "$work"
    put_small "$work/built/ffprobe"
    if system_runs; then
        systemctl try-restart recorder-sync-dock.service
    fi
    echo "The small ffprobe is in place: $small"
}

put() { # SOURCE FILE
    mkdir -p "${2%/*}"
    sed "s|/opt/recorder-sync/|$PREFIX/|g" "$1" > "$2.new"
    chmod 0644 "$2.new"
    mv "$2.new" "$2"
}

put_system_files() {
    for unit in "$source"/systemd/*.service "$source"/systemd/*.path "$source"/systemd/*.target; do
        put "$unit" "$units/${unit##*/}"
    done
    put "$source/udev-rules/71-recorder-sync.rules" "$rules/71-recorder-sync.rules"
    put "$source/systemd/recorder-sync.sysusers" "$sysusers/recorder-sync.conf"
    put "$source/systemd/recorder-sync.tmpfiles" "$tmpfiles/recorder-sync.conf"
}

make_user() {
    [ -z "$DESTDIR" ] || return 0
    systemd-sysusers "$sysusers/recorder-sync.conf"
}

put_folder() { # FOLDER; one that is there keeps its owner and mode
    [ ! -d "$1" ] || return 0
    mkdir -p "${1%/*}"
    mkdir -m 0750 "$1"
    [ -n "$DESTDIR" ] || chown "$user:$user" "$1"
}

put_configuration() {
    [ ! -e "$configuration/config.toml" ] || return 0
    station=$(uname -n | tr -c 'A-Za-z0-9._\n-' - | sed 's/^[^A-Za-z0-9]*//' | cut -c 1-64)
    mkdir -p "$configuration"
    sed "s|^id = \"dock-01\"|id = \"${station:-dock-01}\"|" "$source/config.example.toml" \
        > "$configuration/config.toml.new"
    chmod 0644 "$configuration/config.toml.new"
    mv "$configuration/config.toml.new" "$configuration/config.toml"
}

start() {
    systemd-tmpfiles --create "$tmpfiles/recorder-sync.conf"
    systemctl daemon-reload
    udevadm control --reload
    systemctl --quiet enable recorder-sync.target
    systemctl try-restart recorder-sync-dock.service recorder-sync-forward.service \
        recorder-sync-web.service recorder-sync-witness.service || :
    systemctl start recorder-sync.target
    udevadm trigger --subsystem-match=block --subsystem-match=usb # what is plugged in already
    systemctl --quiet is-active recorder-sync-dock.service || {
        echo "recorder-sync is installed but does not run: journalctl -u recorder-sync-dock" >&2
        exit 1
    }
}

install_all() {
    [ -n "$DESTDIR" ] || refuse_private_python
    work=
    if wants_small; then # before the program is built: a compiler is of use to it, too
        make --silent -C "$source" small-parts source-parts || :
    elif [ "${SMALL_FFPROBE:-none}" != none ]; then # first of all: what fails has changed nothing
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        build_small "$work"
    fi
    put_program
    [ -z "$work" ] || put_small "$work/built/ffprobe"
    put_system_files
    make_user
    put_folder "$state"
    put_folder "$evidence"
    put_configuration
    if system_runs; then
        start
        echo "recorder-sync runs. See: recorder-sync status, journalctl -u recorder-sync-dock"
    else
        echo "recorder-sync is installed, and starts with the system."
    fi
    if wants_small; then # the station works meanwhile
        "$source/tools/install.sh" small-ffprobe || echo "\
recorder-sync is installed, with the distribution's ffprobe: the small one could not be made, the
lines above say why. Later: make small-ffprobe (docs/dock.md)" >&2
    fi
}

uninstall_all() {
    [ -n "$DESTDIR" ] || refuse_private_python
    if system_runs; then
        systemctl --quiet disable --now recorder-sync.target recorder-sync-witness.service \
            2> /dev/null || :
        systemctl stop 'recorder-sync-*' || :
    fi
    rm -f "$command" "$rules/71-recorder-sync.rules" \
        "$sysusers/recorder-sync.conf" "$tmpfiles/recorder-sync.conf"
    for unit in "$source"/systemd/*.service "$source"/systemd/*.path "$source"/systemd/*.target; do
        rm -f "$units/${unit##*/}"
    done
    rm -rf "$DESTDIR$PREFIX" "$DESTDIR$PREFIX.new" "$DESTDIR$PREFIX.old" "${small%/*}"
    if system_runs; then
        systemctl daemon-reload
        udevadm control --reload
    fi
    echo "recorder-sync is removed. These were left, remove them by hand if you must:"
    for left in "$evidence" "$state" "$configuration"; do
        [ ! -e "$left" ] || echo "  $left"
    done
    [ -n "$DESTDIR" ] || ! id -u "$user" > /dev/null 2>&1 || echo "  the user $user"
}

if [ -z "$DESTDIR" ] && [ "$(id -u)" -ne 0 ]; then
    echo "Installing a service takes root: sudo make $1" >&2
    exit 1
fi
umask 022
case ${1-} in
    install) install_all ;;
    uninstall) uninstall_all ;;
    small-ffprobe) small_ffprobe ;;
    *)
        echo "install.sh install | uninstall | small-ffprobe" >&2
        exit 2
        ;;
esac
