const messages = {
  search: 'Words in the text',
  searchHint: 'late -refund, "on hold", slow OR broken',
  sources: 'Sources',
  tags: 'Tags',
  sentiments: 'Sentiment',
  statuses: 'Status',
  least: 'Rated at least',
  most: 'Rated at most',
  every: 'all feedback',
  rated: (least: string, most: string) => `rated ${least} to ${most}`,
  ratedAtLeast: (least: string) => `rated ${least} or more`,
  ratedAtMost: (most: string) => `rated ${most} or less`,
  gone: 'something that is gone',
};

export default messages;
