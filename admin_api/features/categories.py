"""Categories: kinds of content. Negative ones are blocked for everybody, conditional ones where a rule says so."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import Category, RuleRow, Service
from admin_api.models.catalog import blocklist_category
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Reference, Resource, Stamped, keep
from admin_api.rest.route import API, Editor
from admin_api.schemas import Answer, Strict, answer_of, instant, put_answer


class CategoryInput(Strict):
    """A category."""

    code: f.Code
    """For good: rules, logs and documents refer to it."""
    title: f.Title
    negative: bool = False
    """Blocked for everybody."""
    observe: bool = False
    """What its lists and services would block by themselves is counted and logged, not blocked."""
    answer: Answer | None = None
    """How its names are answered where blocked; null: the regency's answer."""


class CategoryOutput(CategoryInput, Stamped):
    """A category as stored."""


async def fill(_session: AsyncSession, row: Category, data: CategoryInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    row.code = data.code
    row.title = data.title
    row.negative = data.negative
    row.observe = data.observe
    put_answer(row, data.answer)


def show(row: Category) -> CategoryOutput:
    """The row as clients see it."""
    return CategoryOutput(
        id=row.id,
        code=row.code,
        title=row.title,
        negative=row.negative,
        observe=row.observe,
        answer=answer_of(row),
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="category",
    plural="categories",
    path=f"{API}/categories",
    row=Category,
    input=CategoryInput,
    output=CategoryOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("code",),),
    references=(
        Reference("service", Service.category_id, Service.id),
        Reference("blocklist", blocklist_category.c.category_id, blocklist_category.c.blocklist_id),
        Reference("rule", RuleRow.category_id, RuleRow.id),
    ),
)
ROUTES = crud_routes(RESOURCE)
