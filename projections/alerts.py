"""What a member should hear of about money: a view over what other projections hold, so each alert stands once, from the event
that raises it to the event that resolves it.
"""

MONEY_ALERTS = """
CREATE OR REPLACE VIEW public.money_alerts AS
WITH moved AS (
    SELECT CASE account WHEN 'premium.owed' THEN 'premium due' ELSE 'credit waiting' END AS kind,
           coalesce(contract_id, bill_id, payment_id) AS subject_id, position, day, recorded_at,
           sum(CASE account WHEN 'premium.owed' THEN amount ELSE -amount END) AS amount
    FROM public.entries WHERE account IN ('premium.owed', 'credit', 'unapplied')
    GROUP BY account = 'premium.owed', 1, 2, position, day, recorded_at
), stood AS (
    SELECT kind, subject_id, position, day, recorded_at, sum(amount) OVER told AS stands
    FROM moved WINDOW told AS (PARTITION BY kind, subject_id ORDER BY position)
), turned AS (
    SELECT *, coalesce(lag(stands) OVER told, 0) AS before FROM stood
    WINDOW told AS (PARTITION BY kind, subject_id ORDER BY position)
), balances AS (
    SELECT raised.kind, raised.subject_id, raised.day, raised.position, raised.stands AS amount, resolved.day AS resolved_on,
           resolved.position AS resolved_position
    FROM turned raised
    LEFT JOIN LATERAL (
        SELECT day, position, recorded_at FROM turned later
        WHERE later.kind = raised.kind AND later.subject_id = raised.subject_id AND later.position > raised.position
          AND later.stands <= 0
        ORDER BY position LIMIT 1
    ) resolved ON true
    WHERE raised.stands > 0 AND raised.before <= 0 AND resolved.recorded_at IS DISTINCT FROM raised.recorded_at
), failed AS (
    SELECT history.*, lag(status) OVER told AS before FROM public.payment_history history
    WINDOW told AS (PARTITION BY payment_id ORDER BY position)
), left_over AS (
    SELECT statement.statement_id, statement.account_id, statement.due_on, statement.total - statement.minimum AS enough,
           moment.position, moment.day, moment.still_owed
    FROM public.statements statement CROSS JOIN LATERAL (
        SELECT entry.position, max(entry.day) AS day, sum(least(line.amount, (
            SELECT sum(amount) FROM public.entries booked
            WHERE booked.bill_id = line.bill_id AND booked.account LIKE 'owed.%' AND booked.position <= entry.position
        ))) AS still_owed
        FROM public.entries entry JOIN public.statement_lines line ON line.statement_id = statement.statement_id
        WHERE entry.bill_id IN (
            SELECT bill_id FROM public.statement_lines own WHERE own.statement_id = statement.statement_id
        ) AND entry.account LIKE 'owed.%'
        GROUP BY entry.position, entry.number
    ) moment
), told AS (
    SELECT stated.*, level = 'family' AS of_family, used >= "limit" AS met,
           CASE level WHEN 'family' THEN concat(stated.payer_id, ' ', person.member_id) ELSE stated.person_id::text END AS whose
    FROM public.accumulators stated JOIN public.people person ON person.person_id = stated.person_id
    WHERE kind = 'deductible' AND "limit" > 0
), met AS (
    SELECT told.*, lag(met) OVER (
        PARTITION BY whose, payer_id, plan_id, plan_year_from, network, level ORDER BY day, used, position
    ) AS before
    FROM told
)
SELECT balances.kind, coalesce(paid.account_id, premium.account_id) AS account_id, balances.subject_id, balances.day AS raised_on,
       balances.position AS raised_position, balances.resolved_on, balances.resolved_position,
       balances.amount::numeric(20, 2) AS amount
FROM balances
LEFT JOIN LATERAL (SELECT account_id FROM public.payment_history WHERE payment_id = balances.subject_id LIMIT 1) paid ON true
LEFT JOIN LATERAL (SELECT account_id FROM public.premium_facts WHERE contract_id = balances.subject_id LIMIT 1) premium ON true
UNION ALL
SELECT 'payment ' || replace(failed.status, '_', ' '), failed.account_id, failed.payment_id, failed.day, failed.position,
       resolved.day, resolved.position, failed.amount
FROM failed LEFT JOIN LATERAL (
    SELECT day, position FROM public.payment_history later
    WHERE later.payment_id = failed.payment_id AND later.position > failed.position AND later.status <> failed.status
    ORDER BY position LIMIT 1
) resolved ON true
WHERE failed.status IN ('failed', 'returned', 'charged_back') AND failed.before IS DISTINCT FROM failed.status
UNION ALL
SELECT 'past due', late.account_id, late.statement_id, late.due_on + 1, NULL, resolved.day, resolved.position,
       (SELECT still_owed - enough FROM left_over booked
        WHERE booked.statement_id = late.statement_id AND booked.day <= late.due_on
        ORDER BY position DESC LIMIT 1)::numeric(20, 2)
FROM (SELECT DISTINCT statement_id, account_id, due_on FROM left_over WHERE due_on < current_date) late
LEFT JOIN LATERAL (
    SELECT min(position) AS position, min(day) AS day FROM left_over booked
    WHERE booked.statement_id = late.statement_id AND still_owed <= enough
) resolved ON true
WHERE resolved.day IS NULL OR resolved.day > late.due_on
UNION ALL
SELECT CASE WHEN met.of_family THEN 'family deductible met' ELSE 'deductible met' END, NULL, met.person_id, met.day, met.position,
       resolved.day, resolved.position, met.used
FROM met LEFT JOIN LATERAL (
    SELECT day, position FROM met later
    WHERE later.whose = met.whose AND later.payer_id = met.payer_id AND later.plan_id = met.plan_id
      AND later.plan_year_from IS NOT DISTINCT FROM met.plan_year_from AND later.network = met.network
      AND later.level = met.level AND (later.day, later.used, later.position) > (met.day, met.used, met.position)
      AND NOT later.met
    ORDER BY day, used, position LIMIT 1
) resolved ON true
WHERE met.met AND NOT coalesce(met.before, false);
COMMENT ON VIEW public.money_alerts IS 'What a member should hear of about money, each once, with the event that raised it and the one that resolved it.';
COMMENT ON COLUMN public.money_alerts.kind IS 'premium due, credit waiting, payment failed, payment returned, payment charged back, past due, deductible met or family deductible met, as the payer states it.';
COMMENT ON COLUMN public.money_alerts.account_id IS 'The account of the member''s number; null where it is of a bill or a person.';
COMMENT ON COLUMN public.money_alerts.subject_id IS 'The contract, bill, payment, statement or person.';
COMMENT ON COLUMN public.money_alerts.raised_on IS 'Since when.';
COMMENT ON COLUMN public.money_alerts.raised_position IS 'Position of the event that raised it; null where a day did.';
COMMENT ON COLUMN public.money_alerts.resolved_on IS 'Until when; null while it stands.';
COMMENT ON COLUMN public.money_alerts.resolved_position IS 'Position of the event that resolved it.';
COMMENT ON COLUMN public.money_alerts.amount IS 'How much, in dollars, when it was raised.';
"""
