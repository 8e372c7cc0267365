"""The forward service against a real object store: locked, proven by checksum, and only once."""

import signal

from tests.ingest.aftermath import until
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.station import ToBucket, bed

__all__ = ["bed"]


def test_art_25_a_recording_is_locked_proven_and_there_once_though_the_service_was_killed(
    bed: ToBucket, bucket: Bucket
) -> None:
    bed.name_bucket(bucket)
    bed.bind()
    sealed = bed.seal(3, size=300_000) + bed.seal(1, size=20 << 20, first=9)
    bed.start()
    until(bed.confirmed, "the first one")
    bed.end()  # in the middle of the others
    bed.start()
    bed.until_confirmed(4)
    assert bed.stop() == 128 + signal.SIGTERM
    bed.assert_each_is_locked_there_once(bucket, sealed)
