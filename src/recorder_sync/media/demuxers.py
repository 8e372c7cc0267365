"""The containers that real recorders write; a file of any other is no recording.

ffprobe is told to try these and no others. `tools/small_ffprobe.sh` builds one that knows no
others.
"""

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpegts,mpeg,wav,w64,mp3,aac,amr,amrnb,amrwb,"
    "flac,ogg,asf,flv,h264,hevc,jpeg_pipe,png_pipe,mjpeg,dv,gsm"
)
"""By ffprobe's names, as its option `format_whitelist` takes them."""
