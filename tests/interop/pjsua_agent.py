"""A phone made of pjsua2: JSON lines in, JSON lines out. It runs in a virtual environment of its own, because
pjsua2 is under the GPL and is only ever a peer of the switch, never part of it.

``pjsua_agent.py SETTINGS`` with SETTINGS a JSON object: user, password, registrar (host:port), domain,
transport, port, rtp_port, play, record, log, auto. Verbs on stdin: ``{"verb": "dial", "uri": ...}``, hold,
resume, dtmf (digits), hang_up, quit.
"""

import json
import os
import sys
import threading
from queue import Empty, Queue
from typing import Any

import pjsua2 as pj

TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}


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

    def onCallState(self, _: Any) -> None:  # noqa: N802 - the name is pjsua2's
        info = self.getInfo()
        tell("call", state=info.stateText, status=info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.ended = True

    def onCallMediaState(self, _: Any) -> None:  # noqa: N802
        info = self.getInfo()  # kept: its list of media is freed with it
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE:
                continue
            audio = self.getAudioMedia(index)
            if self.player is None:
                self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
                self.player.createPlayer(self.phone.settings["play"])
                self.recorder.createRecorder(self.phone.settings["record"])
            self.player.startTransmit(audio)
            audio.startTransmit(self.recorder)

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
    """The endpoint, its account and one call."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.endpoint = pj.Endpoint()
        self.call: Talk | None = None
        self.ended = False
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
        return made

    def take(self, number: int) -> None:
        """Answer a call."""
        self.call = Talk(self, number)
        asked = pj.CallOpParam()
        asked.statusCode = 200 if self.settings.get("auto") else 180
        self.call.answer(asked)

    def act(self, asked: dict[str, Any]) -> None:
        """Do one verb."""
        verb, how = asked["verb"], pj.CallOpParam()
        if verb == "dial":
            self.call = Talk(self)
            how.opt.audioCount, how.opt.videoCount = 1, 0
            self.call.makeCall(asked["uri"], how)
            return
        assert self.call is not None
        if verb == "hold":
            self.call.setHold(how)
        elif verb == "resume":
            how.opt.audioCount, how.opt.videoCount = 1, 0
            how.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.call.reinvite(how)
        elif verb == "dtmf":
            self.call.dialDtmf(asked["digits"])
        elif verb == "hang_up":
            self.call.hangup(how)


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
        if phone.ended and phone.call is not None:
            phone.call.player = phone.call.recorder = None  # closes the files
            phone.call, phone.ended = None, False
            tell("over")
        try:
            asked = verbs.get_nowait()
        except Empty:
            continue
        if asked["verb"] == "quit":
            break
        try:
            phone.act(asked)
        except pj.Error as error:
            tell("failed", verb=asked["verb"], reason=error.reason)
    phone.account.setRegistration(False)
    for _ in range(20):
        phone.endpoint.libHandleEvents(10)
    os._exit(0)  # pjlib's own end waits for sound devices that are not there


main()
