import { page } from '../../app/page';

export default page({
  path: '/w/:slug/privacy',
  access: 'workspace',
  load: () => import('./Privacy'),
  navigation: { group: 'admin', order: 70, icon: 'shield', label: 'retention', role: 'ADMIN' },
});
