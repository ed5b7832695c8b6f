import type en from './messages.en';

const messages: typeof en = {
  days: 'Die letzten 30 Tage',
  total: 'Nachrichten',
  score: 'Mittlere Stimmung',
  scoreMeans: 'von −1 bis 1',
  rating: 'Mittlere Bewertung',
  ratingMeans: 'von 0 bis 10',
  chart: 'Nachrichten am Tag, nach Stimmung',
  day: 'Tag',
  before: 'Die 30 Tage davor',
  than: (change) => `${change} gegenüber den 30 Tagen davor`,
  was: (value) => `davor: ${value}`,
  bySource: 'Nach Quelle',
  byTag: 'Nach Schlagwort',
  noGroups: 'Es gibt noch keine.',
  newest: 'Neueste',
  none: 'Noch keine Rückmeldungen',
  noneText: 'Sie erscheinen hier, sobald eine Quelle welche schickt.',
  anonymous: 'Jemand',
  rated: (rating) => `${rating} von 10`,
};

export default messages;
