"""Asks a witness over HTTP to cosign a checkpoint: C2SP tlog-witness, the log's side.

The witness is asked from the size that it cosigned last. When it knows another, it says
so, and is asked once more from there. A witness that has seen more entries than the log
has, or that the log does not extend, has seen another log: that is told at once.
"""

from http import HTTPStatus

from recorder_sync.config import WitnessServer
from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.cosignature import WitnessKey, cosignatures, text_of
from recorder_sync.custody.unfit import reason
from recorder_sync.custody.witness import Answer, Request
from recorder_sync.language import T, Text
from recorder_sync.witnessing.posting import Answered, NoAnswer, post
from recorder_sync.witnessing.target import NotDelivered, Target, WitnessRefuses
from recorder_sync.witnessing.witnessed import Witnessed

_SIZE_TYPE = "text/x.tlog.size"


def request_for(signed: Signed, old: int, checkpoints: Checkpoints) -> Request:
    """Return the request of a witness that has seen `old` entries.

    There are to be at least so many. Raises CustodyProblem or MissingPart.
    """
    size = signed.checkpoint.size
    proof: list[bytes] = []
    if old:
        proof = checkpoints.read_hashes(lambda tree: merkle.consistency(old, size, tree.node))
    return Request(old, tuple(proof), signed.note)


class WitnessClient(Target):
    """One witness that has an address."""

    def __init__(
        self, server: WitnessServer, url: str, checkpoints: Checkpoints, witnessed: Witnessed
    ) -> None:
        self.name = f"witness {server.name}"
        self._server = server.name
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._witness = WitnessKey.parse(server.key)
        self._checkpoints = checkpoints
        self._witnessed = witnessed
        self._cosigned: int | None = None

    def has(self, size: int) -> bool:
        return self._newest() >= size

    def deliver(self, signed: Signed) -> None:
        old = min(self._newest(), signed.checkpoint.size)
        answered = self._ask(signed, old)
        if answered.status == Answer.CONFLICT:
            known = self._known(answered)
            if known == old or known > signed.checkpoint.size:
                raise self._refuses()
            old = known
            answered = self._ask(signed, old)
        if answered.status in (Answer.CONFLICT, Answer.INCONSISTENT):
            raise self._refuses()
        if answered.status in (Answer.UNKNOWN_KEY, Answer.UNKNOWN_LOG):
            raise NotDelivered(
                T("The witness {name} does not know this station's key.", name=self._server),
                T(
                    "On the witness run: recorder-sync custody witness --trust KEY, with the line "
                    "of <state>/custody/verifier-key of this station."
                ),
            )
        if answered.status != HTTPStatus.OK:
            raise self._failed(T("it answered with status {status}", status=answered.status))
        self._keep(signed, answered)

    def _ask(self, signed: Signed, old: int) -> Answered:
        body = request_for(signed, old, self._checkpoints).body
        try:
            return post(self._url, body.encode(), "text/plain; charset=utf-8")
        except NoAnswer as error:
            raise self._failed(error.why) from error

    def _known(self, answered: Answered) -> int:
        text = answered.body.decode("ascii", "replace").removesuffix("\n")
        if answered.kind != _SIZE_TYPE or not text.isascii() or not text.isdigit():
            raise self._failed(T("its answer cannot be read"))
        if len(text) > 19:
            raise self._failed(T("its answer cannot be read"))
        return int(text)

    def _keep(self, signed: Signed, answered: Answered) -> None:
        lines = answered.body.decode("utf-8", "replace").split("\n")[:-1]
        try:
            found = cosignatures(text_of(signed.note), lines, [self._witness])
        except ValueError as error:
            raise self._failed(reason(error)) from error
        if not found:
            raise self._failed(T("its answer is not signed with its key"))
        self._witnessed.add(signed, [one.line for one in found])
        self._cosigned = signed.checkpoint.size

    def _newest(self) -> int:
        if self._cosigned is None:
            self._cosigned = self._witnessed.newest_cosigned(self._witness)
        return self._cosigned

    def _failed(self, why: Text) -> NotDelivered:
        return NotDelivered(
            T("The witness {name} has not cosigned: {why}.", name=self._server, why=why),
            T("Check its address and key in the configuration, the network, and the witness."),
        )

    def _refuses(self) -> WitnessRefuses:
        return WitnessRefuses(
            T(
                "The witness {name} refuses this log: it does not extend what the witness has seen "
                "of it.",
                name=self._server,
            ),
            T(
                "Entries were changed or removed, an older copy was put back, or two stations "
                "have one key. Touch nothing: keep the state folder and the evidence disk, and "
                "compare them with a backup and with what the witness keeps."
            ),
        )
