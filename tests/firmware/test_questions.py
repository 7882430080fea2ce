"""Functions of the host's that a kernel calls: one question at a time, answered once, while time stands still."""

from __future__ import annotations

import pytest

from p4kernel.wire import _tables as t
from p4kernel.wire._tables import MAX_MESSAGE, Phase, Status, Type
from tests.firmware.machine import LOSSY, Count, Frame, Image, Knob, Machine, Wait, call

START = 1_000_000  # the fake's clock


def asking(board: Machine, script: bytes = b"c\x02d", limit_us: int = 0) -> tuple[int, Frame]:
    """A kernel that has asked: the seq of its call, and the question."""
    image = board.load(Image(script)).image
    seq = board.send(Type.CALL, call(image, limit_us=limit_us))
    (frame,) = board.run()
    assert (frame.type, frame.seq, frame.arg) == (Type.CALLBACK, seq, 1)
    return seq, frame


def answer(board: Machine, seq: int, number: int, message: bytes = bytes(16)) -> None:
    board.send(Type.CB_REPLY, message, seq=seq, arg=number)


def statuses(frames: list[Frame]) -> list[tuple[int, Status]]:
    return [(frame.seq, frame.status) for frame in frames if frame.type == Type.RSP]


def test_the_message_goes_there_and_back(board: Machine) -> None:
    seq, question = asking(board)
    head = t.Callback.unpack(question.payload)
    stack = board.get(Count.STACK)
    assert head.id == 0x1001 and head.message == board.peek(stack, 16)
    answer(board, seq, 1, b"sixteen bytes ..")
    assert statuses(board.run()) == [(seq, Status.OK)]
    assert board.peek(stack, 16) == b"sixteen bytes .."
    assert board.get(Count.RESUMES) == 1


@pytest.mark.parametrize("flags", [t.InfoFlag.RELIABLE, LOSSY])
def test_questions_and_answers_that_come_again_count_once(flags: int) -> None:
    board = Machine(flags)
    board.hello()
    seq, first = asking(board, b"c\x01c\x01d")
    board.send(Type.QUERY, seq=seq)
    assert board.run() == [first]  # the question was lost
    answer(board, seq, 2, bytes(8))  # to a question that was not asked
    answer(board, seq, 0, bytes(8))
    answer(board, seq + 1, 1, bytes(8))
    assert board.run() == [] and board.get(Count.RESUMES) == 0
    answer(board, seq, 1, bytes(8))
    answer(board, seq, 1, bytes(8))
    (second,) = board.run()
    assert (second.type, second.arg, board.get(Count.RESUMES)) == (Type.CALLBACK, 2, 1)
    answer(board, seq, 1, bytes(8))
    assert board.run() == []
    answer(board, seq, 2, bytes(8))
    assert statuses(board.run()) == [(seq, Status.OK)]
    answer(board, seq, 2, bytes(8))
    assert board.run() == [] and board.get(Count.RESUMES) == 2
    board.close()


def test_an_answer_nobody_waits_for(board: Machine) -> None:
    board.send(Type.CB_REPLY, bytes(8), seq=1, arg=1)
    board.write(b"")
    assert board.run() == []
    board.good(Type.PING)


def test_text_comes_before_the_question(board: Machine) -> None:
    image = board.load(Image(b"g\x01c\x01g\x01d")).image
    seq = board.send(Type.CALL, call(image))
    assert [frame.type for frame in board.run()] == [Type.LOG, Type.CALLBACK]
    answer(board, seq, 1, bytes(8))
    assert [frame.type for frame in board.run()] == [Type.LOG, Type.RSP]


def test_time_stands_still_while_the_host_thinks(board: Machine) -> None:
    seq, _ = asking(board, b"c\x02l", limit_us=5000)
    assert not board.poll() & (Wait.EXEC | Wait.TIME)
    polls = board.get(Count.POLLS)
    assert board.run(us=START + 60_000_000) == []
    assert board.get(Count.POLLS) == polls
    answer(board, seq, 1)
    assert board.run() == []
    assert board.get(Count.WAIT_US) == 5000
    assert board.run(us=START + 60_004_999) == []
    frames = board.run(us=START + 60_005_000)
    assert statuses(frames) == [(seq, Status.TIMEOUT)]
    assert t.FaultRsp.unpack(frames[0].payload).elapsed_us == 5000


def test_no_limit_stays_none() -> None:
    board = Machine()
    board.set(Knob.LIMIT_US, 0)
    board.hello()
    seq, _ = asking(board, b"c\x02l")
    board.run(us=START + 1_000_000)
    answer(board, seq, 1)
    assert statuses(board.run(us=4_000_000_000)) == []
    board.send(Type.CANCEL, seq=seq)
    assert statuses(board.run()) == [(seq, Status.CANCELLED)]
    board.close()


def test_cancel_ends_a_kernel_that_asks(board: Machine) -> None:
    seq, _ = asking(board)
    board.send(Type.CANCEL, seq=seq)
    assert statuses(board.run()) == [(seq, Status.CANCELLED)]
    answer(board, seq, 1)
    assert board.run() == [] and board.get(Count.RESUMES) == 0


def test_a_kill_that_has_no_effect_while_it_asks(board: Machine) -> None:
    seq, _ = asking(board)
    board.set(Knob.DEAF, 1)
    board.send(Type.CANCEL, seq=seq)
    answer(board, seq, 1)
    board.send(Type.QUERY, seq=seq)
    assert [(frame.type, frame.arg) for frame in board.run()] == [(Type.PENDING, Phase.KILLING)]
    assert statuses(board.run(us=START + 100_000)) == [(seq, Status.DEAD)]


def test_requests_wait_and_ping_does_not(board: Machine) -> None:
    address = board.alloc(4)
    seq, _ = asking(board)
    read, ping = board.send(Type.READ, t.Read(address, 4).pack()), board.send(Type.PING)
    assert statuses(board.run()) == [(ping, Status.OK)]
    answer(board, seq, 1)
    assert statuses(board.run()) == [(seq, Status.OK), (read, Status.OK)]


@pytest.mark.parametrize("size", [0, 8, 24, 1000])
def test_an_answer_of_another_length_ends_the_kernel(board: Machine, size: int) -> None:
    seq, _ = asking(board)
    answer(board, seq, 1, bytes(size))
    assert statuses(board.run()) == [(seq, Status.CALLBACK)]


def test_the_largest_message(board: Machine) -> None:
    seq, question = asking(board, bytes((ord("c"), MAX_MESSAGE // 8)) + b"d")
    assert len(question.payload) == t.CALLBACK_SIZE + MAX_MESSAGE
    answer(board, seq, 1, bytes(MAX_MESSAGE))
    assert statuses(board.run()) == [(seq, Status.OK)]


@pytest.mark.parametrize("script", [bytes((ord("c"), MAX_MESSAGE // 8 + 1)) + b"d", b"C\x01d"])
def test_messages_that_cannot_be_sent_end_the_kernel(board: Machine, script: bytes) -> None:
    image = board.load(Image(script)).image
    assert board.ask(Type.CALL, call(image)).status == Status.CALLBACK


def test_memory_that_is_denied_when_the_question_is_sent(board: Machine) -> None:
    image = board.load(Image(b"nc\x02d")).image
    seq = board.send(Type.CALL, call(image))
    board.run(polls=1)
    board.set(Knob.NO_MEM, 3)  # the second look: the first is when the kernel asks
    assert statuses(board.run()) == [(seq, Status.CALLBACK)]


def test_memory_that_is_denied_when_the_answer_comes(board: Machine) -> None:
    seq, _ = asking(board)
    board.set(Knob.NO_MEM, 2)
    answer(board, seq, 1)
    assert statuses(board.run()) == [(seq, Status.CALLBACK)]


def test_the_link_goes_down_while_it_asks(board: Machine) -> None:
    asking(board)
    board.link_down()
    board.run()
    board.hello(nonce=2)
    assert board.heap().allocations == 0


def test_a_question_of_a_kernel_that_is_being_ended(board: Machine) -> None:
    image = board.load(Image(b"nc\x01d")).image
    board.set(Knob.DEAF, 1)
    seq = board.send(Type.CALL, call(image))
    board.run(polls=1)
    board.send(Type.CANCEL, seq=seq)
    assert board.run() == []
    board.set(Knob.DEAF, 0)
    assert statuses(board.run()) == [(seq, Status.CANCELLED)]


def test_code_in_use_is_not_unloaded(board: Machine) -> None:
    image = board.load(Image(b"d")).image
    board.set(Knob.IN_USE, 1)
    assert board.ask(Type.UNLOAD, t.Unload(image).pack()).status == Status.IN_USE
    assert board.heap().images == 1
    board.set(Knob.IN_USE, 0)
    board.good(Type.UNLOAD, t.Unload(image).pack())
    assert board.heap().images == 0


def test_code_in_use_makes_no_room(board: Machine) -> None:
    board.set(Knob.IN_USE, 1)
    for i in range(t.MAX_IMAGES):
        board.load(Image(b"d", text_room=64 + 8 * i))
    one_more = Image(b"d", text_room=1000).load.pack()
    assert board.ask(Type.LOAD, one_more).status in (Status.NOMEM, Status.LIMIT)
    board.set(Knob.IN_USE, 0)
    board.good(Type.LOAD, one_more)


def test_pinned_code_in_use_is_only_unpinned(board: Machine) -> None:
    image = board.load(Image(b"d", flags=int(t.LoadFlag.PIN)))
    board.set(Knob.IN_USE, 1)
    board.good(Type.FREE, t.Free(image.address).pack())
    assert board.heap().images == 1
    assert board.ask(Type.FREE, t.Free(image.address).pack()).status == Status.RANGE
    board.set(Knob.IN_USE, 0)
    board.good(Type.UNLOAD, t.Unload(image.image).pack())


def test_what_kernels_left_ends_with_the_session(board: Machine) -> None:
    overs = board.get(Count.OVERS)
    board.hello(nonce=2)
    assert board.get(Count.OVERS) == overs + 1
