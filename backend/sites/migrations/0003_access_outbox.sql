-- Whoever changes what somebody may do, and however (API, admin, shell, bulk, SQL), the change and its announcement are
-- one transaction: these triggers write the outboxes, the worker relays them. All of them are statement-level, so a
-- bulk change costs one pass. A change is a difference of sets, so an update of nothing announces nothing.

CREATE FUNCTION access_changed(users bigint[], why text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_accesschange (user_id, reason, at)
    SELECT DISTINCT one, why, now() FROM unnest(users) one WHERE one IS NOT NULL;
    IF FOUND THEN
        PERFORM pg_notify('access_changed', '');
    END IF;
END $$;

-- Whose grant names one of these sites: people with a role there, org admins of the organizations, platform admins.
CREATE FUNCTION people_of_sites(sites bigint[], organizations bigint[]) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(id) FROM (
        SELECT user_id AS id FROM sites_siteaccess WHERE site_id = ANY (sites)
        UNION SELECT user_id FROM accounts_membership WHERE organization_id = ANY (organizations) AND role = 'org_admin'
        UNION SELECT id FROM accounts_user WHERE is_superuser
    ) people
$$;

-- Memberships. Who leaves an organization leaves its sites, and does not find the old roles there when coming back.

CREATE FUNCTION memberships_ended(users bigint[], organizations bigint[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM sites_siteaccess a
    USING (SELECT * FROM unnest(users, organizations) AS pair (user_id, organization_id)) ended
    WHERE a.user_id = ended.user_id AND a.organization_id = ended.organization_id
$$;

CREATE FUNCTION membership_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed((SELECT array_agg(user_id) FROM new_rows), 'membership created');
    RETURN NULL;
END $$;

CREATE FUNCTION membership_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'membership changed') FROM (
        (SELECT user_id, organization_id, role FROM old_rows EXCEPT SELECT user_id, organization_id, role FROM new_rows)
        UNION ALL
        (SELECT user_id, organization_id, role FROM new_rows EXCEPT SELECT user_id, organization_id, role FROM old_rows)
    ) changed;
    PERFORM memberships_ended(array_agg(user_id), array_agg(organization_id)) FROM (
        SELECT user_id, organization_id FROM old_rows EXCEPT SELECT user_id, organization_id FROM new_rows
    ) ended;
    RETURN NULL;
END $$;

CREATE FUNCTION membership_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'membership deleted') FROM old_rows;
    PERFORM memberships_ended(array_agg(user_id), array_agg(organization_id)) FROM old_rows;
    RETURN NULL;
END $$;

CREATE TRIGGER access_inserted AFTER INSERT ON accounts_membership
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION membership_inserted();
CREATE TRIGGER access_updated AFTER UPDATE ON accounts_membership
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION membership_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON accounts_membership
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION membership_deleted();

-- Roles on sites.

CREATE FUNCTION site_access_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'site access created') FROM new_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION site_access_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'site access changed') FROM (
        (SELECT user_id, site_id, role FROM old_rows EXCEPT SELECT user_id, site_id, role FROM new_rows)
        UNION ALL
        (SELECT user_id, site_id, role FROM new_rows EXCEPT SELECT user_id, site_id, role FROM old_rows)
    ) changed;
    RETURN NULL;
END $$;

CREATE FUNCTION site_access_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'site access deleted') FROM old_rows;
    RETURN NULL;
END $$;

CREATE TRIGGER access_inserted AFTER INSERT ON sites_siteaccess
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION site_access_inserted();
CREATE TRIGGER access_updated AFTER UPDATE ON sites_siteaccess
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION site_access_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON sites_siteaccess
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION site_access_deleted();

-- Users. A new password and the end of an account end every login session, the end of an account its access tokens too. (A
-- password is also written anew when its hash is renewed at a login, so what is to end with a chosen one ends in
-- accounts/actions/password.py.) A user who is new has no grant anywhere.

CREATE FUNCTION user_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_loginsession s SET revoked = now()
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE s.user_id = n.id AND s.revoked IS NULL
        AND (n.password <> o.password OR (o.is_active AND NOT n.is_active));
    UPDATE accounts_accesstoken t SET revoked = now()
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE t.user_id = n.id AND t.organization_id IS NULL AND t.revoked IS NULL AND o.is_active AND NOT n.is_active;
    PERFORM access_changed(array_agg(id), 'user changed') FROM (
        SELECT id, password, is_active, is_superuser, is_developer, email, name FROM old_rows
        EXCEPT
        SELECT id, password, is_active, is_superuser, is_developer, email, name FROM new_rows
    ) changed;
    RETURN NULL;
END $$;

CREATE FUNCTION user_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(id), 'user deleted') FROM old_rows;
    RETURN NULL;
END $$;

CREATE TRIGGER access_updated AFTER UPDATE ON accounts_user
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION user_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON accounts_user
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION user_deleted();

-- Sites. Their roles are deleted before they are, and announced then.

CREATE FUNCTION site_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(people_of_sites(array_agg(id), array_agg(organization_id)), 'site created') FROM new_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION site_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sites bigint[];
    organizations bigint[];
BEGIN
    SELECT array_agg(id), array_agg(organization_id) INTO sites, organizations FROM (
        (SELECT id, organization_id, name, operators_may_control FROM old_rows
            EXCEPT SELECT id, organization_id, name, operators_may_control FROM new_rows)
        UNION ALL
        (SELECT id, organization_id, name, operators_may_control FROM new_rows
            EXCEPT SELECT id, organization_id, name, operators_may_control FROM old_rows)
    ) changed;
    IF sites IS NOT NULL THEN
        PERFORM access_changed(people_of_sites(sites, organizations), 'site changed');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION site_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows) THEN
        PERFORM access_changed(people_of_sites(array_agg(id), array_agg(organization_id)), 'site deleted') FROM old_rows;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_inserted AFTER INSERT ON sites_site
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION site_inserted();
CREATE TRIGGER access_updated AFTER UPDATE ON sites_site
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION site_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON sites_site
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION site_deleted();

-- Organizations: their members see nothing of them while they are suspended. What goes with a deleted one is announced
-- with its memberships and its sites; a platform admin's grant stays as it is.

CREATE FUNCTION organization_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(m.user_id), 'organization changed')
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN accounts_membership m ON m.organization_id = n.id
    WHERE (n.suspended IS NULL) <> (o.suspended IS NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER access_updated AFTER UPDATE ON accounts_organization
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION organization_updated();

-- Credentials: a session or an access token that ends, or that is narrowed. A session that expired an hour ago has no
-- access token left that could still be used, so sweeping it away tells nobody anything.

CREATE FUNCTION login_session_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'session ended') FROM (
        SELECT id, user_id FROM old_rows WHERE revoked IS NULL
        EXCEPT
        SELECT id, user_id FROM new_rows WHERE revoked IS NULL
    ) ended;
    RETURN NULL;
END $$;

CREATE FUNCTION login_session_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'session ended') FROM old_rows
    WHERE revoked IS NULL AND expires > now() - interval '1 hour';
    RETURN NULL;
END $$;

CREATE FUNCTION access_token_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'access token changed') FROM (
        SELECT id, user_id, organization_id, prefix, secret_hash, scopes, sites, expires FROM old_rows
        WHERE revoked IS NULL
        EXCEPT
        SELECT id, user_id, organization_id, prefix, secret_hash, scopes, sites, expires FROM new_rows
        WHERE revoked IS NULL
    ) changed;
    RETURN NULL;
END $$;

CREATE FUNCTION access_token_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_changed(array_agg(user_id), 'access token deleted') FROM old_rows
    WHERE revoked IS NULL AND expires > now();
    RETURN NULL;
END $$;

CREATE TRIGGER access_updated AFTER UPDATE ON accounts_loginsession
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION login_session_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON accounts_loginsession
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION login_session_deleted();
CREATE TRIGGER access_updated AFTER UPDATE ON accounts_accesstoken
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION access_token_updated();
CREATE TRIGGER access_deleted AFTER DELETE ON accounts_accesstoken
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION access_token_deleted();

-- Edges: a configuration that changed, and keys that ended (their Redis users go).

CREATE FUNCTION edges_changed(edges bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sites_edgechange (edge_id, ended_key, at)
    SELECT DISTINCT one, '', now() FROM unnest(edges) one WHERE one IS NOT NULL;
    IF FOUND THEN
        PERFORM pg_notify('edges_changed', '');
    END IF;
END $$;

CREATE FUNCTION edge_keys_ended(edges bigint[], prefixes text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sites_edgechange (edge_id, ended_key, at)
    SELECT edge, prefix, now() FROM unnest(edges, prefixes) AS ended (edge, prefix);
    IF FOUND THEN
        PERFORM pg_notify('edges_changed', '');
    END IF;
END $$;

CREATE FUNCTION edge_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(n.id)) FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE n.poll_interval <> o.poll_interval;
    RETURN NULL;
END $$;

CREATE FUNCTION device_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(edge_id)) FROM new_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION device_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(edge_id)) FROM (
        (SELECT id, edge_id, key, name, driver, profile, connection, poll_interval FROM old_rows
            EXCEPT SELECT id, edge_id, key, name, driver, profile, connection, poll_interval FROM new_rows)
        UNION ALL
        (SELECT id, edge_id, key, name, driver, profile, connection, poll_interval FROM new_rows
            EXCEPT SELECT id, edge_id, key, name, driver, profile, connection, poll_interval FROM old_rows)
    ) changed;
    RETURN NULL;
END $$;

CREATE FUNCTION device_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(edge_id)) FROM old_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION edge_key_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edge_keys_ended(array_agg(edge_id), array_agg(prefix)) FROM (
        SELECT edge_id, prefix::text, secret_hash FROM old_rows WHERE revoked IS NULL
        EXCEPT
        SELECT edge_id, prefix::text, secret_hash FROM new_rows WHERE revoked IS NULL
    ) ended;
    RETURN NULL;
END $$;

CREATE FUNCTION edge_key_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edge_keys_ended(array_agg(edge_id), array_agg(prefix::text)) FROM old_rows;
    RETURN NULL;
END $$;

CREATE TRIGGER config_updated AFTER UPDATE ON sites_edge
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION edge_updated();
CREATE TRIGGER config_inserted AFTER INSERT ON sites_device
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION device_inserted();
CREATE TRIGGER config_updated AFTER UPDATE ON sites_device
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION device_updated();
CREATE TRIGGER config_deleted AFTER DELETE ON sites_device
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION device_deleted();
CREATE TRIGGER key_updated AFTER UPDATE ON sites_edgekey
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION edge_key_updated();
CREATE TRIGGER key_deleted AFTER DELETE ON sites_edgekey
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION edge_key_deleted();
