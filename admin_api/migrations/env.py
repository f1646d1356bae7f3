"""Alembic's entry: runs the migrations on the connection that ``upgrade`` hands over."""

from alembic import context

from admin_api.models import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations are run by admin_api.migrations.upgrade(engine), not by the alembic command")

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
