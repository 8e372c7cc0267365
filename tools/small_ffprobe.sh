#!/bin/sh
# Builds an ffprobe that knows what recorders write and nothing else. `make small-ffprobe` does it
# with this (docs/dock.md).
#
#   small_ffprobe.sh SOURCE TARGET     FFmpeg's source folder; the program's new path
#
# A distribution's ffprobe is linked with some 200 libraries, none of which describing a
# recording needs. This one has the C library and zlib: it takes a twentieth of the time and
# of the memory, and a hostile file meets far less code. But no update reaches it: it has the
# version of its source, so that recorder-sync can tell when the distribution has a newer one and
# it is to be built again. `ffmpeg_source.sh` fetches the source with all its corrections; gcc, make
# and zlib1g-dev are needed beside it.
set -eu

[ $# -eq 2 ] && [ -x "$1/configure" ] || {
    echo "usage: $0 SOURCE TARGET, where SOURCE is what apt-get source ffmpeg made" >&2
    exit 2
}
source=$(cd "$1" && pwd)
mkdir -p "$(dirname "$2")"
target=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")

# As `media/demuxers.py` allows; a test compares the two.
demuxers=mov,avi,matroska,mpegts,mpegps,wav,w64,mp3,aac,amr,amrnb,amrwb,flac,ogg,asf,flv,h264
demuxers=$demuxers,hevc,image_jpeg_pipe,image_png_pipe,mjpeg,dv,gsm

# What a container leaves unsaid, such as the size of pictures, is found by decoding some.
decoders=h264,hevc,mpeg4,mjpeg,h263,h263p,h263i,flv,mpeg1video,mpeg2video,vp8,vp9,theora,vc1
decoders=$decoders,wmv1,wmv2,wmv3,msmpeg4v1,msmpeg4v2,msmpeg4v3,dvvideo,png,mov_text
decoders=$decoders,aac,aac_latm,mp1,mp2,mp3,ac3,eac3,amrnb,amrwb,flac,opus,vorbis,gsm,gsm_ms
decoders=$decoders,wmav1,wmav2,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le
decoders=$decoders,pcm_f32le,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_g726

# As the distribution's says it: 5.1.9-0+deb12u1, of which FFmpeg's own source knows 5.1.9 alone.
revision=
if [ -r "$source/debian/changelog" ]; then
    revision=$(sed -n '1s/^[^(]*([^)]*-\([^-)]*\)).*/\1/p' "$source/debian/changelog")
fi

# Hardened as Debian's is: checked buffers and stack, nothing of its tables writable.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset MAKEFLAGS MFLAGS # those of a make that called this are not meant for FFmpeg's
"$source/configure" --disable-everything --disable-autodetect --disable-network --disable-doc \
    --disable-programs --enable-ffprobe --disable-avdevice --disable-swscale --disable-postproc \
    --disable-swresample --disable-avfilter --disable-x86asm --enable-zlib \
    --enable-protocol=file --enable-parsers --extra-version="$revision" \
    --toolchain=hardened --extra-cflags=-w \
    --enable-demuxer="$demuxers" --enable-decoder="$decoders" >/dev/null
make -s -j "$(nproc)" ffprobe >/dev/null
./ffprobe -version | head -n 1
install -m 0755 ffprobe "$target.new"
mv "$target.new" "$target"
