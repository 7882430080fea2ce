"""``p4kernel cache``."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True)
@click.pass_context
def cache(ctx: click.Context) -> None:
    """Show or clear the cache of compiled kernels.

    It is found again by what was compiled (text, options, compiler), bounded in size, and safe to clear at any time.
    P4KERNEL_CACHE_DIR names another folder, P4KERNEL_CACHE_SIZE another bound.

    \b
    Examples:
      p4kernel cache            # as `p4kernel cache show`
      p4kernel cache clear
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@cache.command()
def show() -> None:
    """Print the folder, how many entries it has, and their size."""
    from p4kernel.build import cache as entries
    from p4kernel.cli._console import size

    state = entries.show()
    click.echo(state.folder)
    click.echo(f"{state.entries} entries, {size(state.size)} of at most {size(state.limit)}")


@cache.command()
def clear() -> None:
    """Remove every entry."""
    from p4kernel.build import cache as entries

    click.echo(f"{entries.clear()} entries removed from {entries.folder()}")
