-- History. Plain PostgreSQL 16: no extension, no dialect. Times are ms since the epoch, UTC, as in the contract;
-- the function samples() and the view sample speak timestamptz.

-- One typed signal of a site. Ids come from a sequence and are never reused; unit and kind are null until an edge
-- or a person has said what the point is.
CREATE TABLE point (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site     bigint NOT NULL,
    key      text NOT NULL CHECK (length(key) BETWEEN 3 AND 96),
    unit     text,
    kind     text,
    created  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site, key)
);

-- What is committed: seq ranges of one boot of one edge. The only deduplication; it outlives compaction.
CREATE TABLE receipt (
    edge     bigint NOT NULL,
    boot     uuid NOT NULL,
    done     int8multirange NOT NULL DEFAULT '{}',
    updated  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (edge, boot)
);
CREATE INDEX receipt_recent ON receipt (edge, updated);

-- The hot store: one row for hundreds of samples, with the exact bytes that the edge sent. `id` is the order of
-- arrival. Not partitioned: compaction empties it, so it stays as small as the hours that are still open.
CREATE TABLE batch (
    id       bigint GENERATED ALWAYS AS IDENTITY,
    site     bigint NOT NULL,
    edge     bigint NOT NULL,
    boot     uuid NOT NULL,
    seq      bigint NOT NULL,
    ts_min   bigint NOT NULL,
    ts_max   bigint NOT NULL,
    samples  integer NOT NULL,
    payload  bytea NOT NULL,
    received timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batch_time ON batch (site, ts_max, ts_min);
-- A payload lives for an hour or two: the time to compress it costs more than the room.
ALTER TABLE batch ALTER COLUMN payload SET STORAGE EXTERNAL;

-- What cannot be a batch, for a person to look at. The same bytes again only raise `times`.
CREATE TABLE poison (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site     bigint NOT NULL,
    edge     bigint NOT NULL,
    boot     uuid,
    seq      bigint,
    reason   text NOT NULL,
    digest   bytea NOT NULL,
    size     bigint NOT NULL,
    payload  bytea NOT NULL,
    times    integer NOT NULL DEFAULT 1,
    received timestamptz NOT NULL DEFAULT now(),
    UNIQUE (edge, digest)
);

-- A span for which samples are known to be missing.
CREATE TABLE gap (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site     bigint NOT NULL,
    edge     bigint NOT NULL,
    boot     uuid,
    seq_from bigint,
    seq_to   bigint,
    ts_from  bigint NOT NULL,
    ts_to    bigint NOT NULL CHECK (ts_to >= ts_from),
    reason   text NOT NULL,
    received timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX gap_time ON gap (site, ts_to);

-- The cold store: one row per point and hour. Sample i (from 1) is at start + phase + (i - 1) * period, or at
-- start + offsets[i] when the spacing is not regular. Exactly one array holds the values, times divisor. Quality is
-- null when all are good, else run lengths {code, n, code, n, ...}; where the code is bad (64 and more) the value is
-- null, whatever the array holds there.
CREATE TABLE segment (
    point      integer NOT NULL,
    start      bigint NOT NULL,
    n          integer NOT NULL,
    phase      integer NOT NULL,
    period     integer,
    offsets    integer[],
    divisor    integer NOT NULL,
    as_int2    smallint[],
    as_int4    integer[],
    as_float4  real[],
    as_int8    bigint[],
    as_float8  double precision[],
    quality    smallint[],
    PRIMARY KEY (point, start)
) PARTITION BY RANGE (start);

-- Rollups: one row per point and hour (1m) or day (15m, 1h), arrays with one element for each bucket that holds a
-- sample. slots[i] says which bucket of the row element i is, null when none is missing before it. An array that is
-- null equals `low`; NaN stands for "no value". `mean` is weighted by time: a value holds until the next sample, at
-- most 15 minutes. `n` counts samples, `good` the good ones; null means 1 each.
CREATE TABLE rollup_1m (
    point  integer NOT NULL,
    start  bigint NOT NULL,
    slots  smallint[],
    low    double precision[] NOT NULL,
    high   double precision[],
    mean   double precision[],
    first  double precision[],
    last   double precision[],
    n      integer[],
    good   integer[],
    PRIMARY KEY (point, start)
) PARTITION BY RANGE (start);

CREATE TABLE rollup_15m (
    point  integer NOT NULL,
    start  bigint NOT NULL,
    slots  smallint[],
    low    double precision[] NOT NULL,
    high   double precision[],
    mean   double precision[],
    first  double precision[],
    last   double precision[],
    n      integer[],
    good   integer[],
    PRIMARY KEY (point, start)
);

CREATE TABLE rollup_1h (LIKE rollup_15m INCLUDING ALL);

-- SQL access for Grafana, BI and people ------------------------------------------------------------------------------

CREATE FUNCTION history_ms(t timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT ceil(extract(epoch FROM t) * 1000)::bigint $$;

CREATE FUNCTION history_time(ms bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT to_timestamp(ms::double precision / 1000) $$;

-- {code, n, code, n, ...} -> one code for each sample
CREATE FUNCTION history_runs(runs smallint[]) RETURNS smallint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(runs[2 * k - 1] ORDER BY k)
    FROM generate_series(1, cardinality(runs) / 2) AS k, generate_series(1, runs[2 * k])
$$;

-- The stored code of a reason (ems_contract.points): 0 good, 1-63 uncertain, 64-127 bad
CREATE FUNCTION history_quality(bad boolean, reason text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE
        WHEN bad THEN CASE reason
            WHEN 'timeout' THEN 64 WHEN 'connection_lost' THEN 65 WHEN 'device_exception' THEN 66
            WHEN 'no_value' THEN 67 WHEN 'garbled' THEN 68 WHEN 'out_of_range' THEN 69 WHEN 'not_polled' THEN 70
            ELSE 127 END
        WHEN reason IS NULL THEN 0
        ELSE CASE reason WHEN 'unsynchronised_clock' THEN 1 WHEN 'future' THEN 2 WHEN 'stuck' THEN 3 ELSE 63 END
    END)::smallint
$$;

-- One batch as rows; `place` orders samples of the same instant. The historian has decoded these bytes with its own
-- parser; should PostgreSQL's stricter one refuse them (an escape in a field that nobody knows), the view is without
-- this batch until it is compacted, and every other batch is still shown.
CREATE FUNCTION history_batch(payload bytea)
RETURNS TABLE (key text, ms bigint, value double precision, quality smallint, place bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT v.key, (r.reading ->> 'ts')::bigint,
           CASE WHEN v.value::text = 'null' THEN NULL
                WHEN pg_input_is_valid(v.value::text, 'double precision') THEN v.value::text::double precision
                ELSE 0 END,  -- too small for a double
           history_quality(v.value::text = 'null', r.reading -> 'quality' ->> v.key),
           r.i * 1000000 + v.i
    FROM json_array_elements(convert_from(payload, 'UTF8')::json -> 'readings') WITH ORDINALITY AS r(reading, i)
    CROSS JOIN LATERAL json_each(r.reading -> 'values') WITH ORDINALITY AS v(key, value, i);
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RAISE WARNING 'a batch is not shown until it is compacted: %', SQLERRM;
END
$$;

-- Samples in [since, until), null for "no bound", in order, each (point, ts) once: a good one before one that is not
-- good, hot before cold, the last written first.
CREATE FUNCTION samples(point_ids integer[], since timestamptz, until timestamptz)
RETURNS TABLE (point integer, ts timestamptz, value double precision, quality smallint)
LANGUAGE sql STABLE ROWS 10000 AS $$
    SELECT DISTINCT ON (s.point, s.ms) s.point, history_time(s.ms), s.value, s.quality
    FROM (
        SELECT g.point, g.start + coalesce(u.offset_ms, g.phase + (u.i - 1) * g.period) AS ms,
               CASE WHEN u.code >= 64 THEN NULL ELSE u.v / g.divisor END AS value,
               coalesce(u.code, 0::smallint) AS quality, 0::bigint AS arrival, u.i AS place
        FROM segment g
        CROSS JOIN LATERAL unnest(
            coalesce(g.as_int2::double precision[], g.as_int4::double precision[], g.as_float4::double precision[],
                     g.as_int8::double precision[], g.as_float8),
            g.offsets, history_runs(g.quality)
        ) WITH ORDINALITY AS u(v, offset_ms, code, i)
        WHERE g.point = ANY (point_ids)
          AND g.start > coalesce(history_ms(since), 0) - 3600000
          AND g.start < coalesce(history_ms(until), 9223372036854775807)
        UNION ALL
        SELECT p.id, h.ms, h.value, h.quality, b.id, h.place
        FROM batch b
        CROSS JOIN LATERAL history_batch(b.payload) h
        JOIN point p ON p.site = b.site AND p.key = h.key
        WHERE b.site IN (SELECT q.site FROM point q WHERE q.id = ANY (point_ids))
          AND p.id = ANY (point_ids)
          AND b.ts_max >= coalesce(history_ms(since), 0)
          AND b.ts_min < coalesce(history_ms(until), 9223372036854775807)
    ) s
    WHERE s.ms >= coalesce(history_ms(since), 0) AND s.ms < coalesce(history_ms(until), 9223372036854775807)
    ORDER BY s.point, s.ms, (s.quality = 0) DESC, s.arrival DESC, s.place DESC
$$;

-- Every sample of every point. Filter by site and key; a filter on ts alone does not prune, samples() does.
CREATE VIEW sample AS
    SELECT p.site, p.key, s.ts, s.value, s.quality, p.unit
    FROM point p CROSS JOIN LATERAL samples(ARRAY[p.id], NULL, NULL) s;
