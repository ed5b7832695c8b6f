const messages = {
  statuses: { QUEUED: 'waits', RUNNING: 'runs', SUCCEEDED: 'done', FAILED: 'failed', CANCELLED: 'cancelled' },
  progress: 'Progress',
  download: 'Download',
  expired: 'The file is not kept any more.',
  cancel: 'Cancel the job',
  cancelTitle: 'Cancel this job?',
  cancelText: 'Nothing of what it was making is kept.',
  cancelled: 'It is cancelled, or ends within a second.',
};

export default messages;
