-- Every prompt that was asked, whole: a reply can be traced to its words, and asked for again after
-- the task's file has changed.
create table ops.generation_prompt (
    task text not null,
    prompt_version text not null,
    definition jsonb not null,
    first_used_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (task, prompt_version)
);
comment on table ops.generation_prompt is
'Generation tasks as they were asked: prompt, options, schema and checks of every version.';

grant select, insert, update on ops.generation_prompt to tidemark_pipeline;
grant select on ops.generation_prompt to tidemark_operator;
