import { page } from '../../app/page';

export default page({
  path: '/w/:slug/partners',
  access: 'workspace',
  load: () => import('./Partners'),
  navigation: { group: 'workspace', order: 90, icon: 'handshake', label: 'partners' },
});
