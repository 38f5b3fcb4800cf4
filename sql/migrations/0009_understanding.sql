-- What queries are understood with. Spelling knows the words of public passages alone: a word that
-- only some may read must not come back to others as a suggestion.
create table corpus.word (
    word text collate "C" primary key,
    passages integer not null check (passages > 0)
);
comment on table corpus.word is
'Words of 3 to 30 letters, lower case, and how many public passages hold them; triggers keep it.';

-- The distinct words of a text: runs of letters, without scripts that write words together.
create function corpus.words_of(content text) returns setof text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
    select distinct word
    from regexp_split_to_table(lower(content), '[^[:alpha:]]+') as word
    where
        length(word) between 3 and 30
        and (
            octet_length(word) = length(word)
            or word !~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u9fff\uac00-\ud7af]'
        )
$$;

-- One more passage for each word of those that came, one less for each of those that left.
create function corpus.change_words(gone text[], come text[]) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
    with change as materialized (
        select x.word, sum(x.passages)::integer as passages
        from (
            select w.word, -1 as passages
            from unnest(gone) as t (content)
            cross join lateral corpus.words_of(t.content) as w (word)
            union all
            select w.word, 1 as passages
            from unnest(come) as t (content)
            cross join lateral corpus.words_of(t.content) as w (word)
        ) as x
        group by x.word
        having sum(x.passages) <> 0
    ),
    emptied as (
        delete from corpus.word as w
        using change as c
        where w.word = c.word and w.passages + c.passages <= 0
    ),
    lessened as (
        update corpus.word as w
        set passages = w.passages + c.passages
        from change as c
        where w.word = c.word and c.passages < 0 and w.passages + c.passages > 0
    )
    insert into corpus.word as w (word, passages)
    select c.word, c.passages
    from change as c
    where c.passages > 0
    order by c.word
    on conflict (word) do update set passages = w.passages + excluded.passages
$$;

-- Counts follow the passages within their transaction, at a cost that is theirs alone: a word is
-- gone the moment its last passage is purged or ceases to be public. Merges take turns, so that no
-- two of them wait for each other here.
create function corpus.count_words() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        perform corpus.change_words('{}', array_agg(concat_ws(' ', n.heading_path, n.text)))
        from new_rows as n
        where n.acl = '{}';
    elsif tg_op = 'DELETE' then
        perform corpus.change_words(array_agg(concat_ws(' ', o.heading_path, o.text)), '{}')
        from old_rows as o
        where o.acl = '{}';
    else
        perform corpus.change_words(
            array_agg(concat_ws(' ', o.heading_path, o.text)) filter (where o.acl = '{}'),
            array_agg(concat_ws(' ', n.heading_path, n.text)) filter (where n.acl = '{}')
        )
        from old_rows as o
        inner join new_rows as n on o.chunk_id = n.chunk_id
        where
            (o.acl = '{}') <> (n.acl = '{}')
            or n.acl = '{}' and (o.heading_path <> n.heading_path or o.text <> n.text);
    end if;
    return null;
end
$$;

create trigger count_words_inserted after insert on corpus.chunk
referencing new table as new_rows
for each statement execute function corpus.count_words();
create trigger count_words_updated after update on corpus.chunk
referencing old table as old_rows new table as new_rows
for each statement execute function corpus.count_words();
create trigger count_words_deleted after delete on corpus.chunk
referencing old table as old_rows
for each statement execute function corpus.count_words();

insert into corpus.word (word, passages)
select
    w.word,
    count(*)
from corpus.chunk as c
cross join lateral corpus.words_of(concat_ws(' ', c.heading_path, c.text)) as w (word)
where c.acl = '{}'
group by w.word;

-- Which of these words, each with its lexical term, stand in no passage that the caller may see.
create function corpus.caller_unknown_words(
    words text[], terms integer[], caller text[] default null
)
returns setof text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select a.word
    from unnest(words, terms) as a (word, term)
    where case
        when exists (select from corpus.word as w where w.word = a.word) then false
        when not exists (select from corpus.term as t where t.term = a.term) then true
        else not exists (
            select from corpus.chunk_lexical as l
            inner join corpus.chunk as c on l.chunk_id = c.chunk_id
            where
                l.terms @> array[a.term]
                and (everything or c.acl = '{}' or c.acl && groups)
        )
    end;
end
$$;

-- Those of these words that public passages hold, and in how many.
create function corpus.public_words(words text[])
returns table (word text, passages integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
    select w.word, w.passages from corpus.word as w where w.word = any (words)
$$;

-- Those of these values that a document has which the caller may see; sources in any case.
create function corpus.caller_values(
    sources text[], types text[], languages text[], caller text[] default null
)
returns table (field text, value text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select 'source', s.name
    from corpus.source as s
    where lower(s.name) = any (sources) and exists (
        select from corpus.document as d
        where
            d.source = s.name and d.status = 'current'
            and (everything or d.acl = '{}' or d.acl && groups)
    )
    union all
    select 'type', v.type
    from unnest(types) as v (type)
    where exists (
        select from corpus.document as d
        where
            d.type = v.type and d.status = 'current'
            and (everything or d.acl = '{}' or d.acl && groups)
    )
    union all
    select 'language', v.language
    from unnest(languages) as v (language)
    where exists (
        select from corpus.document as d
        where
            d.language = v.language and d.status = 'current'
            and (everything or d.acl = '{}' or d.acl && groups)
    );
end
$$;

revoke all on function corpus.words_of from public;
revoke all on function corpus.change_words from public;
revoke all on function corpus.count_words from public;
revoke all on function corpus.caller_unknown_words from public;
revoke all on function corpus.public_words from public;
revoke all on function corpus.caller_values from public;
grant execute on function
corpus.caller_unknown_words, corpus.public_words, corpus.caller_values
to tidemark_serving, tidemark_operator, tidemark_pipeline;
-- Triggers alone write it.
revoke insert, update, delete on corpus.word from tidemark_pipeline;
