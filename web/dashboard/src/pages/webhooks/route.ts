import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/webhooks',
    access: 'workspace',
    role: 'ADMIN',
    load: () => import('./Webhooks'),
    navigation: { group: 'admin', order: 40, icon: 'hook', label: 'webhooks' },
  }),
  page({
    path: '/w/:slug/webhooks/:webhookId',
    access: 'workspace',
    role: 'ADMIN',
    load: () => import('./Webhook'),
  }),
];
