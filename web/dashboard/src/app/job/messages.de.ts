import type en from './messages.en';

const messages: typeof en = {
  statuses: {
    QUEUED: 'wartet',
    RUNNING: 'läuft',
    SUCCEEDED: 'fertig',
    FAILED: 'gescheitert',
    CANCELLED: 'abgebrochen',
  },
  progress: 'Fortschritt',
  download: 'Herunterladen',
  expired: 'Die Datei gibt es nicht mehr.',
  cancel: 'Auftrag abbrechen',
  cancelTitle: 'Diesen Auftrag abbrechen?',
  cancelText: 'Von dem, was er gerade macht, bleibt nichts.',
  cancelled: 'Er ist abgebrochen oder endet binnen einer Sekunde.',
};

export default messages;
