select
    p.prompt_version,
    p.definition,
    p.first_used_at
from ops.generation_prompt as p
where p.task = %(task)s and (%(begins)s::text is null or starts_with(p.prompt_version, %(begins)s))
order by p.last_used_at desc, p.prompt_version
