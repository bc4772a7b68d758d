"""Sessions that survive their switch: what is kept of them, and how the next process takes them over.

An answered session is its dialog; it is taken over as it was, and a re-INVITE shows whether the peer still
has it. An INVITE without final answer is kept as it was on the wire: theirs to be answered after all, ours to
be sent once more - for the phone that is a retransmission - so that CANCEL, ACK and BYE go the usual ways.
"""

from kernel.staterows import DialogState, InviteState
from sip.answer import Answer
from sip.attempt import Attempt
from sip.branches import server_key
from sip.core import Core
from sip.dialog import Dialog, must_stay_secure
from sip.flows import Flow, flow_text, parse_flow
from sip.grammar import SipError
from sip.invitation import Invitation
from sip.message import Request, Response
from sip.outgoing import Outgoing
from sip.parser import check_request, parse_message
from sip.session import Session

# Requests inside a dialog are not kept one by one: the next process counts on from far enough.
CSEQ_JUMP = 1_000


def dialog_state(session: Session) -> DialogState | None:
    """Return what is kept of an answered session; None if it has no dialog."""
    dialog = session.dialog
    if dialog is None:
        return None
    invitation = session.invitation
    answer = session.unfinished[1]
    return DialogState(
        dialog.sip_call_id,
        dialog.local_tag,
        dialog.remote_tag,
        dialog.local,
        dialog.remote,
        dialog.route_set,
        dialog.remote_target,
        flow_text(session.flow),
        "" if dialog.home_flow is None else flow_text(dialog.home_flow),
        dialog.home_host,
        dialog.is_ours,
        dialog.local_cseq,
        dialog.remote_cseq,
        "" if invitation is None else invitation.trunk,
        b"" if answer is None else answer.data,
        answer is not None and answer.is_offer,
    )


def invite_state(session: Session) -> InviteState | None:
    """Return what is kept of an INVITE without final answer, theirs or ours; None if there is none."""
    client = None if session.outgoing is None else session.outgoing.client
    request = session.unfinished[0]
    if client is not None:
        trunk = "" if session.invitation is None else session.invitation.trunk
        return InviteState(client.data, flow_text(client.flow), session.local_tag, trunk)
    if request is None:
        return None
    return InviteState(request_bytes(request), flow_text(session.flow), session.local_tag)


def request_bytes(request: Request) -> bytes:
    """Return a request as bytes that are read as the same request."""
    return "\r\n".join([*request.lines, "", ""]).encode("utf-8", "surrogateescape") + request.body


def restore_dialog(core: Core, state: DialogState, now: float) -> Session | None:
    """Return an answered session in which requests can be sent and taken again.

    What may not have been sent is sent once more: our 2xx without ACK, or our ACK. None if no socket is left
    of the transport it went over.
    """
    flow = adopted(core, state.flow)
    if flow is None or state.local_tag in core.sessions:
        return None
    session = Session(core, state.sip_call_id, flow, is_outgoing=state.is_ours)
    dialog = Dialog(
        state.sip_call_id,
        state.local,
        state.remote,
        state.local_tag,
        state.remote_tag,
        state.route_set,
        state.remote_target,
        core.places.at(flow.local, is_secure=must_stay_secure(state.route_set, state.remote_target)),
        is_ours=state.is_ours,
        local_cseq=state.local_cseq + CSEQ_JUMP,
        remote_cseq=state.remote_cseq,
    )
    dialog.home_flow = adopted(core, state.home_flow) if state.home_flow else None
    dialog.home_host = state.home_host
    if state.trunk:
        session.invitation = Invitation(state.remote_target, state.remote, "", trunk=state.trunk)
    session.take_over(dialog, _answer_again(core, session, state, flow, now) if state.answer else None)
    if state.is_ours:
        ack = dialog.build("ACK", state.local_cseq, core.chance.branch())
        core.transactions.put((dialog.find_flow(core.places) or flow, ack))
    return session


def _answer_again(core: Core, session: Session, state: DialogState, flow: Flow, now: float) -> Answer | None:
    """Send our 2xx again until its ACK is here, and know the INVITE again that it answers."""
    try:
        response = parse_message(state.answer)
        if not isinstance(response, Response):
            return None
        via, cseq = response.via, response.cseq[0]
    except SipError:
        return None
    transactions = core.transactions
    transactions.put((flow, state.answer))
    key = f"{via.branch} {via.host}:{via.port} INVITE"
    transactions.server_reaper.linger(key, "INVITE", b"", flow, transactions.give_up_after, now)
    return Answer(session, transactions, state.answer, flow, cseq, is_offer=state.is_offer, now=now)


def restore_invite(core: Core, state: InviteState, now: float) -> Session | None:
    """Return the session of an INVITE that had no final answer; None if it cannot be taken up again."""
    flow = adopted(core, state.flow)
    if flow is None or state.local_tag in core.sessions:
        return None
    try:
        request = parse_message(state.data)
        if not isinstance(request, Request):
            return None
        check_request(request)
        is_outgoing = request.from_tag == state.local_tag
        session = Session(core, request.call_id, flow, is_outgoing=is_outgoing)
        session.local_tag = state.local_tag
        if is_outgoing:
            _send_again(core, session, request, state, flow, now)
        else:
            session.receive_invite(request, flow, server_key(request), now)
    except SipError:
        return None
    return session


def _send_again(
    core: Core, session: Session, request: Request, state: InviteState, flow: Flow, now: float
) -> None:
    routes = "".join(f"{line}\r\n" for line in request.lines if line.lower().startswith("route:"))
    to = request.header("to") or ""
    attempt = Attempt(
        request.uri,
        core.places[flow.local],
        request.via.branch,
        request.header("from") or "",
        to,
        request.call_id,
        request.cseq[0],
        routes,
        request.body,
        is_authorized=True,  # it is to be cancelled, not to be proven
    )
    session.invitation = Invitation(request.uri, to, "", sdp=request.body, flow=flow, trunk=state.trunk)
    core.sessions[session.local_tag] = session
    session.outgoing = Outgoing(session)
    session.outgoing.send_again(attempt, state.data, now)


def adopted(core: Core, text: str) -> Flow | None:
    """Return a flow of the process before on a socket of this one; its connection did not survive."""
    flow = core.places.adopt(parse_flow(text))
    return None if flow is None else flow._replace(connection=0)
