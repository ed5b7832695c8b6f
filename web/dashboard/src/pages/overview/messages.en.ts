const messages = {
  days: 'The last 30 days',
  total: 'Messages',
  score: 'Mean score',
  scoreMeans: 'from −1 to 1',
  rating: 'Mean rating',
  ratingMeans: 'from 0 to 10',
  chart: 'Messages a day, by sentiment',
  day: 'Day',
  before: 'The 30 days before',
  than: (change: string) => `${change} against the 30 days before`,
  was: (value: string) => `before: ${value}`,
  bySource: 'By source',
  byTag: 'By tag',
  noGroups: 'There are none yet.',
  newest: 'Newest',
  none: 'No feedback yet',
  noneText: 'It appears here as soon as a source sends some.',
  anonymous: 'Somebody',
  rated: (rating: number) => `rated ${rating} of 10`,
};

export default messages;
