"""How the mapping is kept, and what is said of files that are none."""

import random
import struct

import pytest
from helpers.midi_messages import BYPASS, FADER, PRESET, WET
from moodfader.control.midi.decoder import MidiDecoder
from moodfader.control.midi.mapping_file import MidiBinding, mapping_file, read_mapping, save_mapping
from moodfader.models.common.errors import InputError


def test_the_mapping_is_kept_in_a_file(tmp_path):
    mapping = (
        MidiBinding(FADER, 1, 7),
        MidiBinding(WET, 16, 31, "14bit", takeover="jump"),
        MidiBinding(BYPASS, 2, 119),
        MidiBinding(PRESET, 2, 36, message="note", value="dolce"),
        MidiBinding(FADER, 3, message="pitchbend"),
    )
    path = tmp_path / "new" / "midi.toml"
    assert read_mapping(path) == ()
    save_mapping(path, mapping)
    assert read_mapping(path) == mapping
    assert mapping_file().name == "midi.toml"


def test_a_mapping_of_0_7_is_read(tmp_path):
    path = tmp_path / "midi.toml"
    path.write_text(f'[[control]]\naddress = "{FADER}"\nchannel = 2\nnumber = 7\nmode = "7bit"\n')
    assert read_mapping(path) == (MidiBinding(FADER, 2, 7),)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))  # from an editor on Windows
    assert read_mapping(path) == (MidiBinding(FADER, 2, 7),)


BINDING = f'[[control]]\naddress = "{FADER}"\nchannel = 1\nnumber = 1\n'


@pytest.mark.parametrize(
    "text",
    [
        "[[control]",
        "control = 3",
        "control = [3]",
        "other = 1",
        "[[control]]\naddress = 3\nchannel = 1\nnumber = 1",
        f'[[control]]\naddress = "{FADER}"\nchannel = "1"\nnumber = 1',
        f'[[control]]\naddress = "{FADER}"\nchannel = 1',
        BINDING + "colour = 1",
        f'[[control]]\naddress = "{FADER}"\nchannel = true\nnumber = 1',
        f'[[control]]\naddress = "{FADER}"\nchannel = 1\nnumber = 1.5',
        BINDING + "value = nan",
        BINDING + "value = [1]",
        BINDING + "value = 1979-05-27",
        BINDING + "mode = 7",
        BINDING + "message = [[]]",
        "x = " + "[" * 5000,
        "x = " + "9" * 5000,
        f'[[control]]\naddress = "{FADER}"\nchannel = 0x' + "f" * 5000 + "\nnumber = 1",
        BINDING + 'value = "' + "x" * 300 + '"',
        "#" * (1 << 21),
    ],
)
def test_a_file_that_is_no_mapping_is_one_line(tmp_path, text):
    path = tmp_path / "midi.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"midi\.toml: ") as caught:
        read_mapping(path)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutated_mapping_files_are_read_or_refused_in_one_line(tmp_path, count):
    chance = random.Random(11)
    path = tmp_path / "midi.toml"
    seed = [
        MidiBinding(FADER, 1, 7),
        MidiBinding(WET, 16, 31, "14bit", takeover="jump"),
        MidiBinding(PRESET, 2, 36, message="note", value="dolce"),
    ]
    save_mapping(path, seed)
    good = path.read_bytes()
    pieces = [b"\xff", b"[", b"{", b"]", b'"', b"'", b"=", b"\n", b"-", b"nan", b"inf", b"1e999", b"9" * 5000, b"\0"]
    pieces += [
        b"[" * 3000,
        b"true",
        b"value = ",
        b"0x",
        b"control",
        b"1979-05-27",
        b"\r",
        b"#",
        struct.pack("<d", 1e300),
    ]
    read = 0
    for _ in range(count):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[at : at + chance.randint(1, 12)]
                case 2:
                    data[at:at] = chance.choice(pieces)
        path.write_bytes(data)
        reason = ""
        try:
            MidiDecoder(read_mapping(path), lambda address: None)
        except InputError as error:
            reason = str(error)
        assert "\n" not in reason
        assert len(reason) < 600
        read += not reason
    assert 0 < read < count
