-- Schemas, extensions and the sequence that orders all observations.
create extension if not exists vector;

create schema if not exists corpus;
create schema if not exists ops;
create schema if not exists serving;
create schema if not exists warehouse;

create sequence corpus.fence;
comment on sequence corpus.fence is
'Numbers that order observations: taken before bytes are read, carried by every write.';
