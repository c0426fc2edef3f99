-- How fresh claims are. The view reads the public claim_status, whose columns are a contract.

CREATE OR REPLACE VIEW claim_freshness AS
SELECT claim_id, payer_id, person_id, status, service_from, visible_at, visible_on,
       visible_on - service_from AS days_to_visible,
       CASE WHEN service_from IS NULL THEN 'undated' WHEN visible_on - service_from < 7 THEN 'early'
            WHEN visible_on - service_from <= 14 THEN 'in_window' ELSE 'late' END AS visibility,
       alarm,
       CASE alarm WHEN 'not_processed' THEN today WHEN 'seen_late' THEN visible_on
            WHEN 'processed_late' THEN processed_on END - service_from AS alarm_days,
       processed_on, processed_visible_at, processed_visible_on,
       (SELECT day FROM business_day WHERE is_business AND ordinal = processed.ordinal + 1) AS due_visible_on,
       seen.ordinal + CASE WHEN seen.is_business THEN 0 ELSE 1 END - processed.ordinal AS business_days_to_visible,
       CASE WHEN processed_on IS NULL THEN 'not_processed'
            WHEN seen.ordinal + CASE WHEN seen.is_business THEN 0 ELSE 1 END - processed.ordinal <= 1 THEN 'kept'
            WHEN processed.ordinal IS NULL OR seen.ordinal IS NULL THEN 'unknown' ELSE 'broken' END AS one_business_day,
       (SELECT day FROM business_day WHERE is_business AND ordinal = processed.ordinal + 5) AS eob_from,
       (SELECT day FROM business_day WHERE is_business AND ordinal = processed.ordinal + 14) AS eob_until
FROM (
    SELECT *,
           CASE WHEN processed_on IS NULL AND coalesce(status, '') NOT IN ('rejected', 'voided') AND today - service_from > 21
                THEN 'not_processed'
                WHEN visible_on - service_from > 21 THEN 'seen_late'
                WHEN processed_on - service_from > 21 THEN 'processed_late' END AS alarm
    FROM (
        SELECT claim_id, payer_id, person_id, status, service_from, visible_at, processed_on, processed_visible_at,
               (visible_at AT TIME ZONE zone)::date AS visible_on,
               (processed_visible_at AT TIME ZONE zone)::date AS processed_visible_on,
               (now() AT TIME ZONE zone)::date AS today
        FROM claim_status CROSS JOIN calendar
    ) dated
) claim
LEFT JOIN business_day processed ON processed.day = claim.processed_on
LEFT JOIN business_day seen ON seen.day = claim.processed_visible_on;
COMMENT ON VIEW claim_freshness IS 'How soon each claim was to be seen here: after its service (members are told 7 to 14 days, and to ask after 21) and after it was processed (one business day: 42 CFR 422.119). Days are those of the plan''s time zone.';
COMMENT ON COLUMN claim_freshness.claim_id IS 'The claim.';
COMMENT ON COLUMN claim_freshness.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN claim_freshness.person_id IS 'The patient, as an opaque id.';
COMMENT ON COLUMN claim_freshness.status IS 'Where the claim stands now.';
COMMENT ON COLUMN claim_freshness.service_from IS 'First day of service; null where nothing tells.';
COMMENT ON COLUMN claim_freshness.visible_at IS 'When the ledger recorded the first that it heard of the claim.';
COMMENT ON COLUMN claim_freshness.visible_on IS 'The day of that.';
COMMENT ON COLUMN claim_freshness.days_to_visible IS 'Days from the first day of service until then.';
COMMENT ON COLUMN claim_freshness.visibility IS 'early (before the 7th day), in_window (7th to 14th), late, or undated: without a day of service nothing can be said, so it never counts as fresh.';
COMMENT ON COLUMN claim_freshness.alarm IS 'Why a member had reason to ask, more than 21 days after the service: not_processed (it is not as of today; a rejected or voided claim waits for nothing), seen_late (nothing was to be seen by then), processed_late. Null where there was none.';
COMMENT ON COLUMN claim_freshness.alarm_days IS 'Of an alarm: days from the service until what was missing came, or until today.';
COMMENT ON COLUMN claim_freshness.processed_on IS 'The payer''s day of its last word, null where it has not processed the claim.';
COMMENT ON COLUMN claim_freshness.processed_visible_at IS 'When the ledger recorded that.';
COMMENT ON COLUMN claim_freshness.processed_visible_on IS 'The day of that.';
COMMENT ON COLUMN claim_freshness.due_visible_on IS 'The day by whose end it had to be visible: the first business day after processed_on.';
COMMENT ON COLUMN claim_freshness.business_days_to_visible IS 'Business days from processed_on until it was visible; what comes on a weekend or holiday comes with the next business day. 0 or less: it was announced by then.';
COMMENT ON COLUMN claim_freshness.one_business_day IS 'kept, broken, not_processed, or unknown: a day is outside of the calendar.';
COMMENT ON COLUMN claim_freshness.eob_from IS 'First day on which the explanation of benefits is to be expected: the 5th business day after processed_on.';
COMMENT ON COLUMN claim_freshness.eob_until IS 'Last day of that: the 14th business day.';
