"""The linker script: how an image lies in memory."""

from __future__ import annotations

from typing import Final

__all__ = ["LINK_BASE", "SCRIPT_SYMBOLS", "script"]

LINK_BASE: Final = 0x48000000
SCRIPT_SYMBOLS: Final = frozenset({"p4_init_start", "p4_init_end"})
"""What the script defines, where it is referred to: the ends of the table of constructors."""

_SCRIPT: Final = """\
ENTRY({entry})
SECTIONS
{{
  . = 0x{base:x};
  .text : ALIGN(128) {{
    *(.text.{entry})
    *(.text .text.*)
  }}
  .rodata : {{ *(.rodata .rodata.* .srodata .srodata.*) }}
  .data : ALIGN(16) {{
    *(.data .data.* .sdata .sdata.*) *(.got .got.plt)
    . = ALIGN(4);
    PROVIDE_HIDDEN(p4_init_start = .);
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array))
    PROVIDE_HIDDEN(p4_init_end = .);
  }}
  .bss : ALIGN(16) {{ *(.bss .bss.* .sbss .sbss.* COMMON) }}
  /DISCARD/ : {{ *(.comment .note .note.* .eh_frame .eh_frame_hdr) }}
}}
"""


def script(entry: str, base: int = LINK_BASE) -> str:
    """The linker script."""
    return _SCRIPT.format(entry=entry, base=base)
