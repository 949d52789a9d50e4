-- Drafts that come to nothing: a version is never edited and never deleted, so a draft that nobody approved is marked
-- as discarded, by whom and when; a product of which only discarded drafts are left is discarded itself.

ALTER TABLE terms
    ADD COLUMN discarded_by text REFERENCES operator,
    ADD COLUMN discarded_at timestamptz,
    ADD CONSTRAINT discarded_terms_have_an_instant CHECK ((discarded_by IS NULL) = (discarded_at IS NULL)),
    ADD CONSTRAINT approved_terms_are_never_discarded CHECK (approved_by IS NULL OR discarded_by IS NULL);

ALTER TABLE product
    DROP CONSTRAINT product_state_check,
    ADD CONSTRAINT product_state_check CHECK (state IN ('draft', 'discarded', 'live', 'closed', 'retired')),
    DROP CONSTRAINT a_product_on_sale_has_terms,
    ADD CONSTRAINT a_product_on_sale_has_terms CHECK (state IN ('draft', 'discarded') OR version IS NOT NULL);

GRANT UPDATE (discarded_by, discarded_at) ON terms TO staddle_app;
