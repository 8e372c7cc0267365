"""The confined process that makes a picture, a preview or a track of one hostile file.

It inherits two handles, the file to read and perhaps a text, and writes what it made to standard
output: it can open nothing for writing. A photo is decoded here, and timed text read; for
everything else this process becomes ffmpeg, with the same rights taken away.
"""

import os
import resource
import sys
import warnings

from recorder_sync.media.confinement import confine

_QUALITY = 82
_NICER = 10


def main() -> None:
    memory, seconds, do, *arguments = sys.argv[1:]
    os.nice(_NICER)
    limit = max(1, round(float(seconds)))
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    if do == "photo":
        import pillow_heif
        from PIL import Image, ImageOps

        confine(int(memory))
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        pillow_heif.register_heif_opener()
        source, largest = int(arguments[0]), int(arguments[1])
        with (
            os.fdopen(source, "rb") as file,
            Image.open(file, formats=("JPEG", "PNG", "HEIF")) as image,
        ):
            image.draft("RGB", (largest, largest))
            turned = ImageOps.exif_transpose(image).convert("RGB")
            turned.thumbnail((largest, largest))
            turned.save(sys.stdout.buffer, "JPEG", quality=_QUALITY)
        return
    if do == "track":
        from recorder_sync.media.track import track

        confine(int(memory))
        try:
            sys.stdout.write(track(int(arguments[0]), arguments[1:]))
        except ValueError as error:
            sys.exit(str(error))
        return
    confine(int(memory))
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
