"""A phone made of pjsua2: JSON lines in, JSON lines out. It runs in a virtual environment of its own, because
pjsua2 is under the GPL and is only ever a peer of the switch, never part of it.

``pjsua_agent.py SETTINGS`` with SETTINGS a JSON object: user, password, registrar (host:port), domain,
transport, port, rtp_port, play, record, log, auto (answers calls), reliable (100rel: 0 not, 1 always, 2
if asked), timers (RFC 4028: 0 not, 1 if asked, 2 demanded, 3 always) with expires. Verbs on stdin: ``{"verb":
"dial", "uri": ...}``, hold, resume, dtmf (digits), transfer (uri), join (the call before into the last one),
hang_up, quit. They concern the last call, or the one whose number ``call`` says, from 0.
"""

import json
import os
import sys
import threading
import time
from queue import Empty, Queue
from typing import Any

import pjsua2 as pj

TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}

RING_FOR = 0.5  # seconds


def tell(what: str, **more: object) -> None:
    """Write one event."""
    print(json.dumps({"event": what, **more}), flush=True)


class Talk(pj.Call):
    """One call: plays the tone into it, records what it hears."""

    def __init__(self, phone: "Phone", number: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone.account, number)
        self.phone = phone
        self.player: Any = None
        self.recorder: Any = None
        self.number = len(phone.calls)
        phone.calls.append(self)

    def onCallState(self, _: Any) -> None:  # noqa: N802 - the name is pjsua2's
        info = self.getInfo()
        tell("call", call=self.number, state=info.stateText, status=info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.ended.append(self.number)

    def onCallMediaState(self, _: Any) -> None:  # noqa: N802
        info = self.getInfo()  # kept: its list of media is freed with it
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE:
                continue
            audio = self.getAudioMedia(index)
            if self.player is None:
                self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
                self.player.createPlayer(self.phone.settings["play"])
                self.recorder.createRecorder(self.phone.settings["record"].replace("%", str(self.number)))
            self.player.startTransmit(audio)
            audio.startTransmit(self.recorder)

    def onCallTransferStatus(self, told: Any) -> None:  # noqa: N802
        tell("transfer", status=told.statusCode, final=told.finalNotify)

    def onDtmfDigit(self, told: Any) -> None:  # noqa: N802
        tell("dtmf", digit=told.digit)


class Account(pj.Account):
    """The registration."""

    def __init__(self, phone: "Phone") -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, told: Any) -> None:  # noqa: N802
        tell("registered" if told.code == 200 else "refused", status=told.code)

    def onIncomingCall(self, told: Any) -> None:  # noqa: N802
        self.phone.take(told.callId)


class Phone:
    """The endpoint, its account and its calls."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.endpoint = pj.Endpoint()
        self.calls: list[Talk | None] = []  # by their numbers; None: over
        self.ringing: list[tuple[float, Any]] = []  # when to answer which call
        self.ended: list[int] = []  # over since the loop looked last
        self._start()
        self.account = Account(self)
        self.account.create(self._account_settings())

    def _start(self) -> None:
        asked = pj.EpConfig()
        asked.uaConfig.threadCnt = 0
        asked.uaConfig.mainThreadOnly = True
        asked.logConfig.level = 4
        asked.logConfig.consoleLevel = 0
        asked.logConfig.filename = self.settings["log"]
        asked.medConfig.noVad = True
        asked.medConfig.ecTailLen = 0
        self.endpoint.libCreate()
        self.endpoint.libInit(asked)
        transport = pj.TransportConfig()
        transport.port = self.settings["port"]
        transport.boundAddress = transport.publicAddress = "127.0.0.1"
        transport.tlsConfig.CaListFile = self.settings["ca"]
        transport.tlsConfig.verifyServer = True
        self.endpoint.transportCreate(TRANSPORTS[self.settings["transport"]], transport)
        self.endpoint.audDevManager().setNullDev()
        self.endpoint.libStart()
        tell("version", version=self.endpoint.libVersion().full)

    def _account_settings(self) -> Any:
        settings = self.settings
        made = pj.AccountConfig()
        where = f"sip:{settings['registrar']};transport={settings['transport']}"
        made.idUri = f"sip:{settings['user']}@{settings['domain']}"
        made.regConfig.registrarUri = where
        made.regConfig.timeoutSec = 120
        made.sipConfig.proxies.append(f"{where};lr")
        made.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", settings["user"], 0, settings["password"])
        )
        made.mediaConfig.transportConfig.port = settings["rtp_port"]
        made.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        made.mediaConfig.srtpUse = settings.get("srtp", 0)
        made.mediaConfig.srtpSecureSignaling = 0
        made.mwiConfig.enabled = False
        made.callConfig.prackUse = settings.get("reliable", 0)
        made.callConfig.timerUse = settings.get("timers", 1)
        made.callConfig.timerMinSESec = 90
        made.callConfig.timerSessExpiresSec = settings.get("expires", 1800)
        return made

    def take(self, number: int) -> None:
        """Ring; answer soon if that is how it is set."""
        self.answer(Talk(self, number), 180)
        if self.settings.get("auto"):
            self.ringing.append((time.monotonic() + RING_FOR, self.calls[-1]))

    def answer(self, call: Any, status: int) -> None:
        """Answer a call with a status."""
        asked = pj.CallOpParam()
        asked.statusCode = status
        call.answer(asked)

    def answer_due(self) -> None:
        """Answer what has rung for long enough."""
        while self.ringing and self.ringing[0][0] <= time.monotonic():
            self.answer(self.ringing.pop(0)[1], 200)

    def act(self, asked: dict[str, Any]) -> None:
        """Do one verb."""
        verb, how = asked["verb"], pj.CallOpParam()
        if verb == "dial":
            how.opt.audioCount, how.opt.videoCount = 1, 0
            Talk(self).makeCall(asked["uri"], how)
            return
        call = self.calls[asked.get("call", -1)]
        assert call is not None, "that call is over"
        if verb == "hold":
            call.setHold(how)
        elif verb == "resume":
            how.opt.audioCount, how.opt.videoCount = 1, 0
            how.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(how)
        elif verb == "dtmf":
            call.dialDtmf(asked["digits"])
        elif verb == "transfer":
            call.xfer(asked["uri"], how)
        elif verb == "join":
            before = self.calls[-2]
            assert before is not None, "the call before is over"
            before.xferReplaces(call, how)
        elif verb == "hang_up":
            call.hangup(how)

    def forget(self) -> None:
        """Drop the calls that are over, which closes their files."""
        for number in self.ended:
            call = self.calls[number]
            assert call is not None
            call.player = call.recorder = None
            self.calls[number] = None
            tell("over", call=number)
        self.ended.clear()


def main() -> None:
    """Run until told to quit."""
    verbs: Queue[dict[str, Any]] = Queue()

    def read() -> None:
        for line in sys.stdin:
            verbs.put(json.loads(line))
        verbs.put({"verb": "quit"})

    phone = Phone(json.loads(sys.argv[1]))
    threading.Thread(target=read, daemon=True).start()
    while True:
        phone.endpoint.libHandleEvents(10)
        phone.answer_due()
        phone.forget()
        try:
            asked = verbs.get_nowait()
        except Empty:
            continue
        if asked["verb"] == "quit":
            break
        try:
            phone.act(asked)
        except (pj.Error, AssertionError, IndexError) as error:
            tell("failed", verb=asked["verb"], reason=getattr(error, "reason", str(error)))
    phone.account.setRegistration(False)
    for _ in range(20):
        phone.endpoint.libHandleEvents(10)
    os._exit(0)  # pjlib's own end waits for sound devices that are not there


main()
