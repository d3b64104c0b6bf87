"""What a disk has to hold, as the model has it."""

from harness.images import run

BLOCK = 65536
SECTOR = 512
_ZEROS = bytes(BLOCK)


class WrongContent(AssertionError):
    """A disk holds something that nobody has written to it, or not what somebody has."""


class Content:
    """The bytes of a disk at one moment. It never changes; those made of it share what is the same."""

    def __init__(self, size, blocks):
        self.size = size
        self._blocks = blocks

    @staticmethod
    def zeros(size):
        whole, rest = divmod(size, BLOCK)
        return Content(size, [_ZEROS] * whole + ([bytes(rest)] if rest else []))

    @staticmethod
    def of_image(image, format, scratch):
        """As a guest would read it, with all that the image stands on, by QEMU's own tool."""
        run("qemu-img", "convert", "-q", "-U", "-f", format, "-O", "raw", image, scratch)
        with open(scratch, "rb") as raw:
            blocks = list(iter(lambda: _shared(raw.read(BLOCK)), b""))
        scratch.unlink()
        return Content(sum(map(len, blocks)), blocks)

    def written(self, offset, data):
        blocks = list(self._blocks)
        position = offset
        while position < offset + len(data):
            index, begin = divmod(position, BLOCK)
            block = blocks[index]
            part = data[position - offset:position - offset + len(block) - begin]
            blocks[index] = block[:begin] + part + block[begin + len(part):]
            position += len(part)
        return Content(self.size, blocks)

    def grown(self, size):
        """Zeros follow what there is."""
        grown = Content.zeros(size)
        blocks = self._blocks + grown._blocks[len(self._blocks):]
        last = len(self._blocks) - 1
        blocks[last] = self._blocks[last].ljust(len(grown._blocks[last]), b"\0")
        return Content(size, blocks)

    def __eq__(self, other):
        return self.size == other.size and self._blocks == other._blocks

    def different_sectors(self, other):
        """Offsets; both have one size."""
        for index, (own, others) in enumerate(zip(self._blocks, other._blocks)):
            if own == others:
                continue
            for begin in range(0, len(own), SECTOR):
                if own[begin:begin + SECTOR] != others[begin:begin + SECTOR]:
                    yield index * BLOCK + begin

    def sector(self, offset):
        index, begin = divmod(offset, BLOCK)
        return self._blocks[index][begin:begin + SECTOR]

    def check_is(self, expected, what):
        """Raises WrongContent, which says where the first difference is."""
        if self == expected:
            return
        if self.size != expected.size:
            raise WrongContent(f"{what} has {self.size} bytes and not {expected.size}")
        wrong = list(self.different_sectors(expected))
        at = wrong[0]
        raise WrongContent(f"{what}: {len(wrong)} sectors are wrong, the first at {at} ({at // BLOCK} x 64 KiB + "
                           f"{at % BLOCK}): {_told(self.sector(at))} and not {_told(expected.sector(at))}")


def _shared(block):
    """Most of a disk is zeros: one object for all of them."""
    return _ZEROS if block == _ZEROS else block


def _told(sector):
    return f"{sector[0]:#04x} throughout" if sector == sector[:1] * len(sector) else sector[:8].hex(" ") + " ..."


class Disk:
    """A virtual disk of a machine: what it holds now, and what it may hold after its QEMU was killed.

    target, bus, format   as the machine knows it; the format is that of its first file
    path                  its first file, which tells it from others that have the same target
    lineage               the points that are frozen below the file that the machine writes to, the oldest first
    """

    def __init__(self, target, bus, format, path, content):
        self.target, self.bus, self.format, self.path = target, bus, format, path
        self.content = content
        self.lineage = ()
        self._before = []  # what it held since the last flush

    def write(self, offset, data):
        self._before.append(self.content)
        self.content = self.content.written(offset, data)

    def flushed(self):
        self._before = []

    def adopt(self, actual, what, *more):
        """Takes what is read now for the truth, if each sector is what was written last, or what it was before since
        the last flush, or what it is in one of `more`: after a kill or a discard nothing else is known."""
        if actual.size != self.content.size:
            raise WrongContent(f"{what} has {actual.size} bytes and not {self.content.size}")
        possible = [*self._before, *more]
        for at in actual.different_sectors(self.content):
            if not any(actual.sector(at) == each.sector(at) for each in possible if each.size > at):
                raise WrongContent(f"{what} at {at}: {_told(actual.sector(at))}, which was never there since the last "
                                   f"flush; last written was {_told(self.content.sector(at))}")
        self.content = actual
        self.flushed()
