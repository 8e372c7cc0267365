#!/bin/sh
# Fetches the distribution's own source of FFmpeg, with all its corrections, by apt-get.
#
#   ffmpeg_source.sh FOLDER     where the folder ffmpeg-VERSION is made
#
# Most systems list packages and not their sources. So lists of sources are made here of those of
# the packages, beside the system's own, which stay as they are; apt-get checks the signatures by
# the same keys. dpkg-dev is needed to unpack.
set -eu

[ $# -eq 1 ] && [ -d "$1" ] || {
    echo "usage: $0 FOLDER" >&2
    exit 2
}
command -v apt-get >/dev/null 2>&1 || {
    echo "apt-get is not here: give the source of FFmpeg by SMALL_FFPROBE=FOLDER (docs/dock.md)" >&2
    exit 3
}
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
chmod 0755 "$own" # apt-get downloads as a user of its own
mkdir -p "$own/parts" "$own/lists/partial" "$own/cache/archives/partial"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -r "$list" ] || sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list"
done > "$own/sources.list"
for list in /etc/apt/sources.list.d/*.sources; do
    [ ! -r "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" > "$own/parts/${list##*/}"
done

with_own_lists() {
    apt-get -qq -o Dir::Etc::SourceList="$own/sources.list" -o Dir::Etc::SourceParts="$own/parts" \
        -o Dir::State::Lists="$own/lists" -o Dir::Cache="$own/cache" \
        -o Acquire::Retries=0 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 "$@" >&2
}

with_own_lists update || : # a list that is not FFmpeg's may fail: the next command tells
cd "$1"
with_own_lists source ffmpeg || {
    echo "The source of ffmpeg cannot be fetched; the lines above say what failed first." >&2
    echo "Without a network give it by SMALL_FFPROBE=FOLDER (docs/dock.md)." >&2
    exit 3
}
