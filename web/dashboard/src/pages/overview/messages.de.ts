import type en from './messages.en';

const messages: typeof en = {
  days: (days) => (days === 1 ? 'Heute' : `Die letzten ${days} Tage`),
  between: 'Der gewählte Zeitraum',
  lengths: (days) => (days === 365 ? '1 Jahr' : `${days} Tage`),
  choose: 'Zeitraum',
  from: 'Von',
  to: 'Bis',
  show: 'Zeigen',
  zoom: (from, to) => `Vergrößern: ${from} bis ${to}`,
  chartKeys: 'Über Balken ziehen vergrößert; mit Tasten: Pfeile, mit Umschalt mehrere, Eingabe vergrößert.',
  total: 'Nachrichten',
  score: 'Mittlere Stimmung',
  scoreMeans: 'von −1 bis 1',
  rating: 'Mittlere Bewertung',
  ratingMeans: 'von 0 bis 10',
  chart: {
    HOUR: 'Nachrichten pro Stunde, nach Stimmung',
    DAY: 'Nachrichten pro Tag, nach Stimmung',
    WEEK: 'Nachrichten pro Woche, nach Stimmung',
    MONTH: 'Nachrichten pro Monat, nach Stimmung',
  },
  day: 'Beginnt',
  before: 'So lange davor',
  than: (change) => `${change} gegenüber ebenso lange davor`,
  was: (value) => `davor: ${value}`,
  bySource: 'Nach Quelle',
  byTag: 'Nach Schlagwort',
  all: (many: number) => `Alle ${many} zeigen`,
  noGroups: 'Es gibt noch keine.',
  newest: 'Neueste',
  none: 'Noch keine Rückmeldungen',
  noneText: 'Sie erscheinen hier, sobald eine Quelle welche schickt.',
  anonymous: 'Jemand',
  rated: (rating) => `${rating} von 10`,
};

export default messages;
