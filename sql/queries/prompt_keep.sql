insert into ops.generation_prompt (task, prompt_version, definition)
values (%(task)s, %(version)s, %(definition)s)
-- What is no part of the version, such as the checks, is as it was used last.
on conflict (task, prompt_version) do update set
    definition = excluded.definition,
    last_used_at = now()
