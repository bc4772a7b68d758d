"""Flows as text."""

from sip.flows import Flow, flow_text, parse_flow


def test_a_flow_survives_as_text() -> None:
    for flow in (Flow("udp", 0, "127.0.0.1", 5070), Flow("tcp", 1, "2001:db8::1", 40000, 7)):
        assert parse_flow(flow_text(flow)) == flow
    assert flow_text(Flow("udp", 0, "127.0.0.1", 5070)) == "udp/0/127.0.0.1/5070/0"
