-- Whoever listens hears of a change when it is committed. The database tells it, so a change by hand is told, too.

CREATE FUNCTION number_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TRIGGER number_zone BEFORE UPDATE ON zones
    FOR EACH ROW EXECUTE FUNCTION number_zone();

CREATE FUNCTION tell_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('zones', json_build_object('name', OLD.name, 'gone', true)::text);
    ELSE
        PERFORM pg_notify('zones', row_to_json(NEW)::text);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_zone AFTER INSERT OR UPDATE OR DELETE ON zones
    FOR EACH ROW EXECUTE FUNCTION tell_zone();

CREATE FUNCTION tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('scores', json_build_object(
        'at', NEW.at, 'member', NEW.member::text, 'name', members.name, 'zone', NEW.zone, 'kind', NEW.kind,
        'multiplier', NEW.multiplier, 'points', NEW.points, 'total', members.points, 'events', members.events
    )::text) FROM members WHERE members.id = NEW.member;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_event AFTER INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION tell_event();

CREATE FUNCTION tell_earned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('earned', json_build_object(
        'at', NEW.at, 'member', NEW.member::text, 'name', members.name, 'title', achievements.title
    )::text) FROM members, achievements WHERE members.id = NEW.member AND achievements.name = NEW.achievement;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_earned AFTER INSERT ON earned
    FOR EACH ROW EXECUTE FUNCTION tell_earned();

CREATE FUNCTION tell_bot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bot', json_build_object(
        'connected_at', NEW.connected_at, 'heard_until', NEW.heard_until, 'sequence', NEW.sequence
    )::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_bot AFTER UPDATE OF connected_at, heard_until ON bot
    FOR EACH ROW EXECUTE FUNCTION tell_bot();

CREATE FUNCTION tell_sighting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('seen', json_build_object(
        'zone', NEW.zone, 'version', NEW.version, 'after_ms', extract(epoch FROM NEW.after) * 1000
    )::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_sighting AFTER INSERT OR UPDATE ON sightings
    FOR EACH ROW EXECUTE FUNCTION tell_sighting();
