"""A port that is taken is reported with everything that helps."""

import os
import socket

import pytest

from deploy.local.ports import Ports, PortTakenError, is_free, require_free


def test_a_taken_port_is_reported_with_its_holder_and_the_variable() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        with pytest.raises(PortTakenError) as raised:
            require_free(port, "LOCAL_MONGODB_PORT")

    assert f"port {port} is in use by pid {os.getpid()} (" in str(raised.value)
    assert "set LOCAL_MONGODB_PORT to another port" in str(raised.value)


def test_ports_can_be_moved_by_variables() -> None:
    ports = Ports.from_environ({"LOCAL_AMQP_PORT": "5773", "LOCAL_MONGODB_PORT": "27118"})

    assert (ports.amqp, ports.amqp_epmd, ports.amqp_distribution) == (5773, 15773, 25773)
    assert ports.mongodb == 27118


@pytest.mark.parametrize("value", ["abc", "0", "80", "45001", "-5772", "5772.0"])
def test_a_bad_port_is_refused_with_the_name_of_its_variable(value: str) -> None:
    with pytest.raises(ValueError, match="LOCAL_AMQP_PORT"):
        Ports.from_environ({"LOCAL_AMQP_PORT": value})


def test_free_ports_are_free_and_different() -> None:
    ports = Ports.free()

    numbers = [getattr(ports, name) for name in Ports.__slots__] + [ports.amqp_epmd, ports.amqp_distribution]
    assert len(set(numbers)) == len(numbers)
    assert all(map(is_free, numbers))
