-- What codes mean, where an operator loaded the official lists, and the filters that claims are asked for by name.
-- The shipped texts stay in files (codes/); the shipped filters are written here by `init`.

CREATE TABLE IF NOT EXISTS code_text (
    system text NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    valid_from date,
    valid_to date,
    PRIMARY KEY (system, code)
);
COMMENT ON TABLE code_text IS 'Official texts of codes, loaded by the operator under the operator''s own licence; they go before the shipped ones.';
COMMENT ON COLUMN code_text.system IS 'Which list: carc, rarc, group, clp02 or category.';
COMMENT ON COLUMN code_text.code IS 'The code, in capitals.';
COMMENT ON COLUMN code_text.text IS 'What it means, in the words of the list.';
COMMENT ON COLUMN code_text.valid_from IS 'First day on which it may be used; empty: from ever.';
COMMENT ON COLUMN code_text.valid_to IS 'Last day on which it may be used; empty: until further notice.';

CREATE TABLE IF NOT EXISTS claim_filter (
    name text PRIMARY KEY,
    shipped boolean NOT NULL
);
COMMENT ON TABLE claim_filter IS 'Filters that claims are asked for by name.';
COMMENT ON COLUMN claim_filter.name IS 'What people call it, in lower case: emergency visits.';
COMMENT ON COLUMN claim_filter.shipped IS 'Whether it comes with the ledger: such a filter is renewed by init and cannot be changed otherwise.';

CREATE TABLE IF NOT EXISTS claim_filter_rule (
    filter text NOT NULL REFERENCES claim_filter ON DELETE CASCADE,
    system text NOT NULL,
    code_from text NOT NULL COLLATE "C",
    code_to text NOT NULL COLLATE "C",
    valid_from date,
    valid_to date,
    UNIQUE NULLS NOT DISTINCT (filter, system, code_from, code_to, valid_from, valid_to)
);
COMMENT ON TABLE claim_filter_rule IS 'What makes a claim belong to a filter: one code of one of these ranges is enough.';
COMMENT ON COLUMN claim_filter_rule.filter IS 'The filter.';
COMMENT ON COLUMN claim_filter_rule.system IS 'Of the claim: claim_type, place_of_service, bill_type. Of its lines: qualifier (HC, AD, N4 …), procedure, revenue.';
COMMENT ON COLUMN claim_filter_rule.code_from IS 'First code of the range, in the form of claim_codes: capitals, revenue codes with four digits.';
COMMENT ON COLUMN claim_filter_rule.code_to IS 'Last code of the range.';
COMMENT ON COLUMN claim_filter_rule.valid_from IS 'First day of service for which it holds; empty: from ever.';
COMMENT ON COLUMN claim_filter_rule.valid_to IS 'Last day of service for which it holds; empty: until further notice.';

-- A claim as the codes that filters look at, each with its day of service: the line's own, else the claim's.
-- A procedure is qualifier, code and modifiers (HC:99213:25), or a code alone; NU: is a revenue code in a procedure's place.
CREATE OR REPLACE FUNCTION claim_codes(claim_type text, facility_code text, service_from date, lines jsonb)
RETURNS TABLE (system text, code text, service_day date) LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH line AS (
        SELECT upper(CASE WHEN strpos(said.procedure, ':') > 0 THEN split_part(said.procedure, ':', 1) END) AS qualifier,
               upper(split_part(said.procedure, ':', CASE WHEN strpos(said.procedure, ':') > 0 THEN 2 ELSE 1 END)) AS code,
               said.revenue_code, coalesce(said.service_from, claim_codes.service_from) AS day
        FROM jsonb_to_recordset(lines) AS said (procedure text, revenue_code text, service_from date)
    ), revenue AS (
        SELECT ltrim(digits, '0') AS digits, day
        FROM line CROSS JOIN LATERAL (VALUES (revenue_code), (CASE qualifier WHEN 'NU' THEN code END)) AS found (digits)
    )
    SELECT 'claim_type', claim_type, service_from
    UNION ALL
    SELECT CASE claim_type WHEN 'institutional' THEN 'bill_type' ELSE 'place_of_service' END, facility_code, service_from
    UNION ALL
    SELECT 'qualifier', qualifier, day FROM line
    UNION ALL
    SELECT 'procedure', code, day FROM line WHERE qualifier IS DISTINCT FROM 'NU'
    UNION ALL
    SELECT 'revenue', lpad(digits, greatest(4, length(digits)), '0'), day FROM revenue WHERE digits <> '';
END;
COMMENT ON FUNCTION claim_codes IS 'The codes of a claim that filters look at, and the day of service of each.';

-- Codes lie in a range only where they are built like its ends (letters in the same places), for 0550F is not one of
-- 0500T to 0599T. A service without a date is held against every rule: rather shown than hidden.
CREATE OR REPLACE FUNCTION matches_filter(
    filter_name text, claim_type text, facility_code text, service_from date, lines jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM claim_codes(claim_type, facility_code, service_from, lines) AS said
        JOIN claim_filter_rule AS rule
          ON rule.filter = filter_name AND rule.system = said.system
         AND said.code BETWEEN rule.code_from AND rule.code_to
         AND translate(said.code, '123456789', '000000000') = translate(rule.code_from, '123456789', '000000000')
         AND (said.service_day >= rule.valid_from) IS NOT FALSE
         AND (said.service_day <= rule.valid_to) IS NOT FALSE
    );
END;
COMMENT ON FUNCTION matches_filter IS 'Whether a claim belongs to a filter. A filter that does not exist matches nothing.';
