/** Stands wherever a localization is shown. */
export const RESEARCH_NOTICE = 'Research use only, not for diagnosis.';
