-- Business days and the plan's time zone.

CREATE TABLE IF NOT EXISTS calendar (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    zone text NOT NULL,
    holidays_by text NOT NULL
);
COMMENT ON TABLE calendar IS 'By what days are counted.';
COMMENT ON COLUMN calendar.only_row IS 'Allows one row.';
COMMENT ON COLUMN calendar.zone IS 'The plan''s time zone: a recorded moment''s calendar day depends on it. LEDGER_ZONE at the last init.';
COMMENT ON COLUMN calendar.holidays_by IS 'Where the holidays of business_day are from, with its version.';

CREATE TABLE IF NOT EXISTS business_day (
    day date PRIMARY KEY,
    is_business boolean NOT NULL,
    ordinal integer NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS business_day_ordinal_idx ON business_day (ordinal) WHERE is_business;
COMMENT ON TABLE business_day IS 'Every calendar day of 2015 to 2045. Business days are those of the United States'' federal government.';
COMMENT ON COLUMN business_day.day IS 'The calendar day.';
COMMENT ON COLUMN business_day.is_business IS 'Neither a weekend nor a federal holiday.';
COMMENT ON COLUMN business_day.ordinal IS 'How many business days there are from the first day of the table up to this one, itself included.';
