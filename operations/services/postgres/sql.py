"""The statements, for psql, as text. No password stands in one: a verifier is no password, and it is kept out of the server's log.

Names are those of the settings, whose rule leaves nothing to be quoted (settings.py), and of login roles, which are made of them.
Run as a superuser, over the socket in the server's container.
"""

from __future__ import annotations

from collections.abc import Iterable

# a statement that is logged would show the verifier
_QUIET = """\
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET client_min_messages = 'warning';
"""

# what a snapshot wants to know, as JSON; the variables are psql's. A verifier leaves the server as its SHA-256
STATE = """\
SELECT json_build_object(
    'version', current_setting('server_version'),
    'owner', EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner'),
    'database', EXISTS (SELECT FROM pg_database WHERE datname = :'db'),
    'roles', (SELECT coalesce(json_agg(json_build_array(role.rolname,
            role.rolcanlogin AND coalesce(role.rolvaliduntil > now(), true),
            coalesce(encode(sha256(convert_to(role.rolpassword, 'UTF8')), 'hex'), ''),
            coalesce('role=' || :'owner' = ANY (own.setconfig), false))), '[]')
        FROM pg_authid role LEFT JOIN pg_db_role_setting own ON own.setrole = role.oid AND own.setdatabase = 0
        WHERE role.rolname = :'owner' OR role.rolname ~ ('^' || :'owner' || '_[0-9a-f]{4}$')
            AND EXISTS (SELECT FROM pg_auth_members WHERE member = role.oid AND roleid = to_regrole(quote_ident(:'owner')))),
    'sessions', (SELECT coalesce(json_agg(
            json_build_array(usename, host(client_addr), floor(extract(epoch FROM backend_start)))), '[]')
        FROM (SELECT * FROM pg_stat_activity WHERE backend_type = 'client backend' AND client_addr IS NOT NULL
            AND pid <> pg_backend_pid() LIMIT 2000) found));
"""


def accept(owner: str, database: str, login: str, verifier: str, groups: Iterable[str] = (), vectors: bool = False) -> str:
    """The role `login` logs in with what the verifier was made of, and is `owner` from then on. What else is there stays, but for
    roles that were retired earlier.

    + groups: roles of PostgreSQL's own that the owner becomes a member of
    + vectors: the database gets the extension for vectors, which only a superuser may give it, if the server has it
    """
    return (
        _QUIET
        + _missing(f'CREATE ROLE "{owner}" NOLOGIN', "pg_roles WHERE rolname", owner)
        + _missing(f'CREATE DATABASE "{database}" OWNER "{owner}"', "pg_database WHERE datname", database)
        + "BEGIN;\n"
        + "".join(f'GRANT "{group}" TO "{owner}";\n' for group in groups)
        + _missing(f'CREATE ROLE "{login}" NOLOGIN', "pg_roles WHERE rolname", login)
        + f'GRANT "{owner}" TO "{login}";\n'
        # what it makes belongs to the owner, so that the role can go
        + f"ALTER ROLE \"{login}\" SET role = '{owner}';\n"
        + f"ALTER ROLE \"{login}\" LOGIN PASSWORD '{verifier}';\n"
        + "COMMIT;\n"
        + f'\\connect "{database}"\n'
        + _FORGOTTEN.replace("@OWNER@", owner).replace("@LOGIN@", login)
        + (_VECTORS if vectors else "")
    )


def alone(owner: str, login: str) -> str:
    """Of the owner and its login roles `login` alone has a password: for a server that nobody can be logged in to."""
    return _ALONE.replace("@OWNER@", owner).replace("@LOGIN@", login)


def retire(owner: str, logins: Iterable[str]) -> str:
    """Nobody logs in as one of these roles, and nobody who did is still there. They keep their passwords, for `again`."""
    roles = list(logins)
    names = ", ".join(f"'{role}'" for role in roles)
    return f"BEGIN;\n{''.join(_may_log_in(role, owner, False) for role in roles)}COMMIT;\n{_ENDED.replace('@ROLES@', names)}"


def again(owner: str, logins: Iterable[str]) -> str:
    """One logs in as these roles again, which were retired."""
    return "".join(_may_log_in(role, owner, True) for role in logins)


def _may_log_in(role: str, owner: str, may: bool) -> str:
    """The owner may always be used over the socket, by a person or a backup: there it needs no password, which may have expired."""
    if role == owner:
        return f"ALTER ROLE \"{role}\" VALID UNTIL '{'' if may else '-'}infinity';\n"
    return f'ALTER ROLE "{role}" {"" if may else "NO"}LOGIN;\n'


_VECTORS = """\
SELECT 'CREATE EXTENSION IF NOT EXISTS vector' FROM pg_available_extensions WHERE name = 'vector' \\gexec
"""
_ALONE = """\
SELECT format('ALTER ROLE %I PASSWORD NULL', rolname) FROM pg_authid
    WHERE rolname ~ '^@OWNER@(_[0-9a-f]{4})?$' AND rolname <> '@LOGIN@' AND rolpassword IS NOT NULL \\gexec
"""
# those over the socket are a person's or a backup's, who need no password
_ENDED = """\
DO $$
DECLARE stuck int;
BEGIN
    -- materialized, for else the planner may end sessions first and then look whose they were
    WITH previous AS MATERIALIZED
        (SELECT pid FROM pg_stat_activity WHERE usename IN (@ROLES@) AND client_addr IS NOT NULL)
        SELECT count(*) INTO stuck FROM previous WHERE NOT pg_terminate_backend(pid, 5000);
    IF stuck > 0 THEN
        RAISE EXCEPTION '% sessions with the previous password did not end in 5 s', stuck;
    END IF;
END $$;
"""
# One that owns something in another database stays, without a login.
_FORGOTTEN = """\
SELECT format('ALTER ROLE %I PASSWORD NULL VALID UNTIL %L', rolname, 'infinity') FROM pg_roles
    WHERE rolname = '@OWNER@' AND rolvaliduntil = '-infinity' \\gexec
DO $$
DECLARE retired name;
BEGIN
    FOR retired IN SELECT rolname FROM pg_roles
        WHERE rolname ~ '^@OWNER@_[0-9a-f]{4}$' AND NOT rolcanlogin AND rolname <> '@LOGIN@'
    LOOP
        BEGIN
            EXECUTE format('REASSIGN OWNED BY %I TO %I', retired, '@OWNER@');
            EXECUTE format('DROP OWNED BY %I', retired);
            EXECUTE format('DROP ROLE %I', retired);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END LOOP;
END $$;
"""


def _missing(statement: str, where: str, name: str) -> str:
    return f"SELECT '{statement}' WHERE NOT EXISTS (SELECT FROM {where} = '{name}') \\gexec\n"
