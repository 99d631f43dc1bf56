-- Who writes audit events, and that nobody changes them.

-- Persons ---------------------------------------------------------------------------------------------------------

-- The key commits to the words, so they cannot be replaced; without the salt nothing can be learned from it.
CREATE FUNCTION audit_person_of(subject bigint, words text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    found uuid;
    fresh bytea;
BEGIN
    words := left(words, 254);
    SELECT p.key INTO found FROM audit_person p
    WHERE p.text = words AND coalesce(p.user_id, 0) = coalesce(subject, 0) AND p.salt IS NOT NULL LIMIT 1;
    IF found IS NULL THEN
        -- Two transactions may both add the same words: a unique constraint would make one wait for the other.
        fresh := uuid_send(gen_random_uuid());
        found := encode(substring(sha256(
            fresh || convert_to(coalesce(subject::text, '') || ' ' || words, 'UTF8')) FOR 16), 'hex')::uuid;
        INSERT INTO audit_person (key, user_id, text, salt) VALUES (found, subject, words, fresh);
    END IF;
    RETURN found;
END $$;

-- What a user is called; of one who is gone, what they were called last.
CREATE FUNCTION audit_name_of(subject bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (SELECT u.email FROM {users} u WHERE u.id = subject),
        (SELECT p.text FROM audit_person p WHERE p.user_id = subject AND p.text LIKE '%@%' LIMIT 1),
        'user ' || subject
    );
END $$;

-- A device's connection, for one, may hold a password.
CREATE FUNCTION audit_masked(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(
        e.key, CASE WHEN e.key ~* 'passw|secret|token|credential|api_?key' THEN '"[not shown]"' ELSE e.value END), '{}')
    FROM jsonb_each(value) e
$$;

-- Writing ---------------------------------------------------------------------------------------------------------

-- One event. `event` has the columns as keys, and: target_user, the user whom it is about; personal, the columns that
-- hold names of that user. An e-mail address is taken for a person's wherever it stands.
CREATE FUNCTION audit_write(event jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    who bigint := (event->>'actor_id')::bigint;
    actor_words text := coalesce(event->>'actor', '');
    actor_person uuid;
    target_words text := coalesce(event->>'target', '');
    target_person uuid;
    subject bigint := (event->>'target_user')::bigint;
    personal text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(event->'personal', '[]')));
    persons jsonb := '{}';
    part text;
    field text;
    words text;
    made bigint;
BEGIN
    IF who IS NOT NULL THEN
        actor_person := audit_person_of(who, coalesce(nullif(actor_words, ''), audit_name_of(who)));
    ELSIF actor_words <> '' AND actor_words !~ '^(edge_[0-9]+$|command |database )' THEN
        actor_person := audit_person_of(NULL, actor_words);
    END IF;
    IF subject IS NOT NULL THEN
        target_person := audit_person_of(subject, coalesce(nullif(target_words, ''), audit_name_of(subject)));
    ELSIF target_words ~ '^[^@\s]+@[^@\s]+$' THEN
        target_person := audit_person_of(NULL, target_words);
    END IF;
    FOREACH part IN ARRAY ARRAY['before', 'after', 'details'] LOOP
        CONTINUE WHEN jsonb_typeof(event->part) IS DISTINCT FROM 'object';
        FOR field IN SELECT e.key FROM jsonb_each(event->part) e WHERE jsonb_typeof(e.value) = 'object' LOOP
            event := jsonb_set(event, ARRAY[part, field], audit_masked(event->part->field));
        END LOOP;
        FOR field, words IN
            SELECT e.key, e.value #>> '{}' FROM jsonb_each(event->part) e WHERE jsonb_typeof(e.value) = 'string'
        LOOP
            IF words <> '' AND (field = ANY (personal) OR words ~ '^[^@\s]+@[^@\s]+$') THEN
                persons := persons || jsonb_build_object(
                    part || '.' || field,
                    audit_person_of(CASE WHEN field = ANY (personal) THEN subject END, words));
                event := event #- ARRAY[part, field];
            END IF;
        END LOOP;
    END LOOP;
    INSERT INTO audit_auditevent (
        at, action, outcome, actor_id, actor_key, actor, organization_id, site_id, target, target_key, target_id,
        address, request_id, before, after, details, persons
    ) VALUES (
        clock_timestamp(), event->>'action', coalesce(event->>'outcome', 'done'), who, actor_person,
        CASE WHEN actor_person IS NULL THEN left(actor_words, 254) ELSE '' END,
        (event->>'organization_id')::bigint, (event->>'site_id')::bigint,
        CASE WHEN target_person IS NULL THEN left(target_words, 200) ELSE '' END, target_person,
        (event->>'target_id')::bigint, (event->>'address')::inet, coalesce(event->>'request_id', ''),
        nullif(event->'before', 'null'), nullif(event->'after', 'null'), coalesce(event->'details', '{}'), persons
    ) RETURNING id INTO made;
    RETURN made;
END $$;

-- Rows of other tables --------------------------------------------------------------------------------------------

-- True if a person makes the change: somebody signed in, or somebody at the database itself.
CREATE FUNCTION audit_by_person() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('ems.context', true), '')::jsonb ? 'actor_id', true)
$$;

-- After a change of a row. Arguments: noun, the column that names the row, then the columns that are secret (that they
-- changed is told, what they hold is not), that are no news, and that name a person.
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    noun text := TG_ARGV[0];
    secret text[] := TG_ARGV[2]::text[];
    noise text[] := TG_ARGV[3]::text[];
    context jsonb := nullif(current_setting('ems.context', true), '')::jsonb;
    was jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) - noise END;
    is_now jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) - noise END;
    whole jsonb := coalesce(is_now, was);
    organization bigint := (whole->>'organization_id')::bigint;
    site bigint := (whole->>'site_id')::bigint;
    event jsonb;
    hidden jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF was = is_now THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_agg(c) INTO hidden FROM unnest(secret) c WHERE was->c IS DISTINCT FROM is_now->c;
    END IF;
    was := was - secret;
    is_now := is_now - secret;
    event := CASE TG_OP
        WHEN 'INSERT' THEN jsonb_build_object('action', noun || '.created', 'after', is_now)
        WHEN 'DELETE' THEN jsonb_build_object('action', noun || '.deleted', 'before', was)
        ELSE jsonb_build_object(
            'action', noun || '.changed',
            'before', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(was)
                       WHERE value IS DISTINCT FROM is_now->key),
            'after', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(is_now)
                      WHERE value IS DISTINCT FROM was->key))
    END;
    CASE noun
        WHEN 'organization' THEN organization := (whole->>'id')::bigint;
        WHEN 'site' THEN site := (whole->>'id')::bigint;
        ELSE NULL;
    END CASE;
    IF organization IS NULL AND site IS NOT NULL THEN
        organization := audit_organization_of(site);
    END IF;
    IF hidden IS NOT NULL THEN
        event := event || jsonb_build_object('details', jsonb_build_object('secrets_changed', hidden));
    END IF;
    IF noun = 'user' THEN
        event := event || jsonb_build_object('target_user', whole->'id', 'target', whole->'email');
    ELSIF TG_ARGV[1] = 'user_id' THEN
        event := event || jsonb_build_object('target_user', whole->'user_id');
    ELSE
        event := event || jsonb_build_object('target', whole->TG_ARGV[1]);
    END IF;
    PERFORM audit_write(
        coalesce(context, jsonb_build_object(
            'actor', 'database ' || session_user, 'address', host(inet_client_addr()))) -- nobody told: not the product
        || event
        || jsonb_build_object(
            'target_id', whole->'id', 'organization_id', organization, 'site_id', site,
            'personal', to_jsonb(TG_ARGV[4]::text[]))
    );
    RETURN NULL;
END $$;

-- Denials ---------------------------------------------------------------------------------------------------------

-- Store a denied attempt, or only count it if the caller has had `most` of them stored within this minute.
CREATE FUNCTION audit_deny(event jsonb, whose text, most integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    times integer;
BEGIN
    INSERT INTO audit_flood AS f (caller, action, minute, count, event)
    VALUES (left(whose, 100), event->>'action', date_trunc('minute', clock_timestamp()), 1, event)
    ON CONFLICT (caller, action, minute) DO UPDATE SET count = f.count + 1, event = excluded.event
    RETURNING f.count INTO times;
    IF times <= most THEN
        PERFORM audit_write(event);
    END IF;
    RETURN times <= most;
END $$;

-- One event with a count for each flood whose minute is over. The number of them.
CREATE FUNCTION audit_close_floods(most integer) RETURNS bigint LANGUAGE sql AS $$
    WITH over AS (
        DELETE FROM audit_flood WHERE minute < date_trunc('minute', clock_timestamp()) RETURNING *
    ), told AS (
        SELECT audit_write(event || jsonb_build_object('details', coalesce(event->'details', '{}')
            || jsonb_build_object('more', count - most, 'minute', to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'))))
        FROM over WHERE count > most
    )
    SELECT count(*) FROM told
$$;

-- Append-only -----------------------------------------------------------------------------------------------------

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % can be neither changed nor deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditevent EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditevent EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_seal EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_seal EXECUTE FUNCTION audit_refuse();

-- A person can be erased, and nothing else.
CREATE FUNCTION audit_only_erase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.key = OLD.key AND NEW.user_id IS NOT DISTINCT FROM OLD.user_id
        AND NEW.salt IS NULL AND NEW.text LIKE 'erased person%' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit events are append-only: a person in them can be erased and not be changed'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_only_erase BEFORE UPDATE ON audit_person FOR EACH ROW EXECUTE FUNCTION audit_only_erase();
CREATE TRIGGER audit_append_only BEFORE DELETE ON audit_person EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_person EXECUTE FUNCTION audit_refuse();

-- For the sealer --------------------------------------------------------------------------------------------------

-- No NOTIFY: it takes a lock of the whole server at commit, so writers would wait for one another.
CREATE FUNCTION audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_unsealed (event) SELECT id FROM added;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_queue AFTER INSERT ON audit_auditevent
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_queue();
