import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.errors import NotFound
from flyball.pipeline.dir_hash import dir_hash1, go_form
from flyball.pipeline.inclusion import prove, proves
from flyball.pipeline.manifest import entry, manifest, of_bytes

contents = st.dictionaries(
    st.text(alphabet="abcé-_0 ", min_size=1, max_size=6).filter(lambda name: "/" not in name),
    st.binary(max_size=20),
    min_size=1,
    max_size=20,
)


@given(contents, st.data())
def test_each_file_is_proven_and_no_other_bytes_or_name(files: dict[str, bytes], data: st.DataObject) -> None:
    whole = of_bytes(files)
    file = data.draw(st.sampled_from(whole.files))
    proof = prove(whole, file.path)
    assert proves(proof)
    assert not proves(replace(proof, file=entry(file.path, files[file.path] + b"\0")))
    assert not proves(replace(proof, file=replace(file, path=file.path + "x")))
    assert not proves(replace(proof, index=proof.index + 1))
    assert not proves(replace(proof, root=of_bytes(files | {"zz": b""}).root))


def test_a_file_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(NotFound):
        prove(of_bytes({"a": b""}), "A")  # case-exact


def test_coreutils_recompute_the_second_name(tmp_path: Path) -> None:
    files = {"part-0.csv": b"a,b\n1,2\n", "part-1.csv": b"a,b\n3,4\n", "Z.csv": b"", "sub/é.csv": b"\0"}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    said = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert of_bytes(files).dir_hash1 == said.stdout.decode().split()[0]


def test_go_writes_it_as_in_go_sum() -> None:
    assert go_form("ff" * 32) == "h1://////////////////////////////////////////8="


def test_a_path_that_the_format_cannot_say_has_no_such_name() -> None:
    assert dir_hash1([entry("a\nb", b"")]) is None
    assert manifest([entry("a\nb", b"")]).dir_hash1 is None
