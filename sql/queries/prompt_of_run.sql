select
    g.prompt_version,
    g.model
from ops.generation_run as g
where g.run_id = %(run_id)s
