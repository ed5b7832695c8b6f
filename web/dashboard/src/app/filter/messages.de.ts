import type en from './messages.en';

const messages: typeof en = {
  search: 'Wörter im Text',
  searchHint: 'spät -Erstattung, "in Wartung", langsam OR kaputt',
  sources: 'Quellen',
  tags: 'Schlagwörter',
  sentiments: 'Stimmung',
  statuses: 'Stand',
  least: 'Bewertet mit mindestens',
  most: 'Bewertet mit höchstens',
  every: 'alle Rückmeldungen',
  rated: (least, most) => `bewertet mit ${least} bis ${most}`,
  ratedAtLeast: (least) => `bewertet mit ${least} oder mehr`,
  ratedAtMost: (most) => `bewertet mit ${most} oder weniger`,
  gone: 'etwas, das es nicht mehr gibt',
};

export default messages;
