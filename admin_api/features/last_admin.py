"""Nobody locks everybody out: at least one administrator's token that counts must remain."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import Token, User
from admin_api.rest.auth import Scope
from admin_api.rest.problem import conflict
from admin_api.rest.route import Editor


async def refuse_if_last_admin(session: AsyncSession, remaining: ColumnElement[bool], editor: Editor) -> None:
    """Raises a 409 problem where no administrator's token would be among the ``remaining`` ones."""
    unexpired = or_(Token.expires_s.is_(None), Token.expires_s > int(editor.now_s))
    statement = select(Token.scopes).join(User, Token.user_id == User.id).where(User.active, unexpired, remaining)
    for scopes in await session.scalars(statement):
        if Scope.ADMIN in scopes:
            return
    raise conflict("this would leave no administrator's token that counts; make another one first")
